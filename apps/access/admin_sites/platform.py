"""The operator's site in the public schema."""

from django.conf import settings
from django.http import HttpRequest

from apps.access.admin_sites.gate import GatedSite
from apps.kit import schema


class PlatformSite(GatedSite):
    """For platform staff only."""

    site_header = "Treasury platform"
    site_title = "Treasury platform"

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return schema.name() == schema.PUBLIC and user.is_active and bool(user.is_platform_staff)

    def requires_second_factor(self) -> bool:
        return bool(settings.TREASURY["PLATFORM_SECOND_FACTOR"])
