"""Which sessions a member of the platform's staff has on its site that are not over."""

from datetime import datetime
from uuid import UUID

from apps.accounts.models import PlatformSession, User
from apps.kit import sessions


def of_user(user_id: UUID, *, at: datetime) -> list[PlatformSession]:
    """Return the sessions of a person that still open pages, the one that was seen last first."""
    known = PlatformSession.objects.filter(user_id=user_id)
    return sessions.live(known, user=User.objects.get(id=user_id), at=at)
