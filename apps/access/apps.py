"""Django's view of the app, and of its admin with the organisation's site as the default one."""

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig


class AccessConfig(AppConfig):
    name = "apps.access"
    label = "access"
    verbose_name = "Access"
    default = True


class OrganisationAdminConfig(SimpleAdminConfig):
    """Stands in INSTALLED_APPS for ``django.contrib.admin``, beside ``unfold.apps.BasicAppConfig``."""

    default_site = "apps.access.admin_sites.OrganisationSite"
    default = False
