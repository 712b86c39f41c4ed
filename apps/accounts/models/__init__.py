"""Models of accounts."""

from apps.accounts.models.authenticator import Authenticator, RecoveryCode
from apps.accounts.models.platform_record import COLUMNS, PlatformLink, PlatformRecord, WaitingPlatformRecord
from apps.accounts.models.platform_session import PlatformSession
from apps.accounts.models.trail_head import TrailHead
from apps.accounts.models.user import User

__all__ = [
    "COLUMNS",
    "Authenticator",
    "PlatformLink",
    "PlatformRecord",
    "PlatformSession",
    "RecoveryCode",
    "TrailHead",
    "User",
    "WaitingPlatformRecord",
]
