"""The site itself."""

from apps.access.admin_sites import PlatformSite

site = PlatformSite(name="platform")
