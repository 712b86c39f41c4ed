"""Roles in the organisation's site."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from apps.access.models import Role
from apps.kit.admin import ReadOnlyAdmin


@admin.register(Role)
class RoleAdmin(ReadOnlyAdmin):
    """What each role may do."""

    list_display = ["name", "code", "granted"]
    fields = ["name", "code", "granted"]

    @admin.display(description=_("Permissions"))
    def granted(self, role: Role) -> str:
        return ", ".join(role.permissions)
