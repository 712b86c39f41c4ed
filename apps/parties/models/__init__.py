"""Models of parties."""

from apps.parties.models.party import ContactPoint, Party

__all__ = ["ContactPoint", "Party"]
