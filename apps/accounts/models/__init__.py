"""Models of accounts."""

from apps.accounts.models.authenticator import Authenticator, RecoveryCode
from apps.accounts.models.platform_record import PlatformRecord
from apps.accounts.models.user import User

__all__ = ["Authenticator", "PlatformRecord", "RecoveryCode", "User"]
