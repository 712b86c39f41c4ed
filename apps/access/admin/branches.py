"""Branches in the organisation's site."""

from collections.abc import Sequence

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest

from apps.access.admin.saving import ServiceAdmin, person
from apps.access.models import Branch
from apps.access.selectors import branches as visible_branches
from apps.access.selectors import memberships as team
from apps.access.services import branches
from apps.kit import clock


@admin.register(Branch)
class BranchAdmin(ServiceAdmin):
    """Branches are opened and renamed here; the code stays."""

    list_display = ["code", "name", "is_head_office", "time_zone"]
    search_fields = ["code", "name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Branch]:
        """Show a person the branches that he works for, so that he renames no other one."""
        return visible_branches.visible_to(request.user)

    def get_fields(self, request: HttpRequest, obj: Branch | None = None) -> Sequence[str]:  # noqa: ARG002 (Django's signature)
        return ["code", "name", "parent", "time_zone"]

    def get_readonly_fields(self, request: HttpRequest, obj: Branch | None = None) -> Sequence[str]:  # noqa: ARG002 (Django's signature)
        return ["code"] if obj else []

    def perform(self, request: HttpRequest, row: Branch, form: Form) -> None:
        parent = form.cleaned_data.pop("parent")
        chosen = {
            **form.cleaned_data,
            "parent_id": parent.id if parent else None,
            "actor": team.actor(person(request)),
            "now": clock.now(),
        }
        saved = branches.change(branch_id=row.id, **chosen) if row.created_at else branches.create(**chosen)
        row.pk = saved.pk
