"""The operator's site in the public schema."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest

from apps.access.admin_sites.sessions import Keeper, SessionsSite
from apps.accounts.selectors import platform_sessions as kept
from apps.accounts.services import platform_sessions
from apps.kit import schema
from apps.kit.sessions import KnownSession

if TYPE_CHECKING:  # another app's model
    from apps.accounts.models import User


class PlatformSite(SessionsSite):
    """For platform staff only, but for the page behind a link of the platform's own."""

    site_header = "Treasury platform"
    site_title = "Treasury platform"

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return schema.name() == schema.PUBLIC and user.is_active and bool(user.is_platform_staff)

    keeper: ClassVar[Keeper] = platform_sessions

    def known_sessions(self, user_id: UUID, now: datetime) -> Sequence[KnownSession]:
        return kept.of_user(user_id, at=now)

    def expects(self, user: "User") -> bool:
        return bool(user.is_vouched_for)

    def awaits(self, user: "User") -> bool:  # noqa: ARG002 (the platform vouches for him)
        return False

    def onward(self) -> str:
        return ""

    def requires_second_factor(self) -> bool:
        return bool(settings.TREASURY["PLATFORM_SECOND_FACTOR"])
