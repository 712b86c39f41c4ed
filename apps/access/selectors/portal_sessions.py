"""Which sessions a member has that are not over."""

from datetime import datetime
from uuid import UUID

from apps.access.models import Membership, PortalSession
from apps.kit import sessions


def live(membership: Membership, *, at: datetime) -> list[PortalSession]:
    """Return the sessions of a member that still open pages, the one that was seen last first."""
    return sessions.live(PortalSession.objects.filter(membership=membership), user=membership.user, at=at)


def of_user(user_id: UUID, *, at: datetime) -> list[PortalSession]:
    """Return the sessions of a person here that still open pages."""
    return live(Membership.objects.select_related("user").get(user_id=user_id), at=at)
