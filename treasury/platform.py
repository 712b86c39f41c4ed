"""The platform's admin site: organisations and the people who run the platform; only in the public schema."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.access.admin_sites import PlatformSite
from apps.accounts.models import User
from apps.kit.admin import ReadOnlyAdmin
from apps.tenancy.models import Domain, Organisation

site = PlatformSite(name="platform")


@admin.register(Organisation, site=site)
class OrganisationAdmin(ReadOnlyAdmin):
    """Which organisations there are and whether they work; provisioning is a command of the operators."""

    list_display = ["name", "slug", "status", "is_test", "base_currency", "created_at"]
    search_fields = ["name", "slug"]


@admin.register(Domain, site=site)
class DomainAdmin(ReadOnlyAdmin):
    """The host names that lead to organisations."""

    list_display = ["domain", "tenant", "is_primary"]
    list_select_related = ["tenant"]


@admin.register(User, site=site)
class UserAdmin(ReadOnlyAdmin):
    """Who may sign in; nobody is deleted."""

    list_display = ["name", "email", "is_active", "is_platform_staff", "created_at"]
    search_fields = ["name", "email"]
    fields = ["name", "email", "is_active", "is_platform_staff", "last_login", "created_at"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("password")
