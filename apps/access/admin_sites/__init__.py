"""The two admin sites: the organisation's portal, which shows no shared table, and the platform's."""

from apps.access.admin_sites.organisation import OrganisationModelAdmin, OrganisationSite, is_shared
from apps.access.admin_sites.platform import PlatformSite

__all__ = ["OrganisationModelAdmin", "OrganisationSite", "PlatformSite", "is_shared"]
