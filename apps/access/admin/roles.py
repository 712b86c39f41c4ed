"""Roles in the organisation's site."""

from collections.abc import Sequence
from typing import ClassVar

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.contracts import PERMISSIONS, LimitKind, conflicts
from apps.access.dialogs.roles import AddRole, ChangeRole, CopyRole, RetireRole, SetLimits
from apps.access.models import Role
from apps.kit.admin import ReadOnlyAdmin, badge, nothing_html


@admin.register(Role)
class RoleAdmin(ReadOnlyAdmin):
    """What each role may do and how much at once; the organisation makes roles of its own."""

    list_display = ["name", "code", "people", "asks_for", "approves", "state"]
    fields = ["name", "code", "people", "granted", "asks_for", "approves", "state"]
    search_fields = ["name", "code"]
    dialogs: ClassVar[Sequence[type]] = [AddRole, ChangeRole, CopyRole, SetLimits, RetireRole]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Role]:
        holders = Count("memberships", filter=Q(memberships__is_active=True))
        return super().get_queryset(request).annotate(holders=holders).prefetch_related("limits")

    @admin.display(description=_("People"))
    def people(self, role: Role) -> str:
        return str(getattr(role, "holders", 0))

    @admin.display(description=_("Permissions"))
    def granted(self, role: Role) -> SafeString:
        return format_html_join(
            "", "<div>{} ({})</div>", ((PERMISSIONS.get(one, one), one) for one in role.permissions)
        )

    @admin.display(description=_("Asks for, at most"))
    def asks_for(self, role: Role) -> SafeString:
        return self._limits(role, LimitKind.CREATE)

    @admin.display(description=_("Approves, at most"))
    def approves(self, role: Role) -> SafeString:
        return self._limits(role, LimitKind.APPROVE)

    @admin.display(description=_("State"))
    def state(self, role: Role) -> SafeString:
        if role.retired_at is not None:
            return badge("quiet", "archive", gettext("Retired"))
        if conflicts(role.permissions):
            return badge("held", "diversity_3", gettext("Duties not apart"))
        return badge("done", "check_circle", gettext("In use"))

    def _limits(self, role: Role, kind: LimitKind) -> SafeString:
        sums = sorted(str(row.maximum) for row in role.limits.all() if row.kind == kind)
        return format_html_join("", "<div>{}</div>", ((one,) for one in sums)) if sums else nothing_html()
