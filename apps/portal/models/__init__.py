"""Tables of the portal: how people like to look at its lists. No model of money is here."""

from apps.portal.models.saved_view import SavedView

__all__ = ["SavedView"]
