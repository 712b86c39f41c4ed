"""Models of accounts."""

from apps.accounts.models.user import User

__all__ = ["User"]
