"""Branches in the organisation's site."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Exists, ForeignKey, OuterRef, QuerySet, Subquery
from django.forms import Form, ModelChoiceField
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.admin.saving import ServiceAdmin, person
from apps.access.dialogs.branches import ChooseBranchPolicy, LinkBranch, UnlinkBranch
from apps.access.models import Branch, BranchExternalId
from apps.access.selectors import branches as visible_branches
from apps.access.selectors import memberships as team
from apps.access.selectors import scope
from apps.access.services import branches
from apps.kit import clock


@admin.register(Branch)
class BranchAdmin(ServiceAdmin):
    """Branches are opened and renamed here; the code stays."""

    list_display = ["code", "name", "below", "is_head_office", "zone"]
    dialogs: ClassVar[Sequence[type]] = [ChooseBranchPolicy, LinkBranch, UnlinkBranch]
    search_fields = ["code", "name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Branch]:
        """Show a person the branches that he works for, so that he renames no other one."""
        visible = visible_branches.visible_to(request.user)
        above = visible.filter(id=OuterRef("parent_id")).values("name")[:1]
        kept = BranchExternalId.objects.filter(branch=OuterRef("pk"))
        return visible.annotate(parent_name=Subquery(above), is_kept=Exists(kept))

    def get_fields(self, request: HttpRequest, obj: Branch | None = None) -> Sequence[str]:
        """Let only who works for all branches move one; head office is the root."""
        may_move = scope.own_branch_ids(person(request)) is None and not (obj and obj.is_head_office)
        kept = ["called"] if obj else []
        return ["code", "name", *(["parent"] if may_move else []), "time_zone", *kept]

    def get_readonly_fields(self, request: HttpRequest, obj: Branch | None = None) -> Sequence[str]:  # noqa: ARG002 (Django's signature)
        return ["code", "called"] if obj else []

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField | None:
        if db_field.name == "parent":
            kwargs["queryset"] = visible_branches.visible_to(request.user).order_by("name")
            kwargs["empty_label"] = gettext("Directly below head office")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def perform(self, request: HttpRequest, row: Branch, form: Form) -> None:
        chosen = {
            "parent_id": row.parent_id,
            **{name: value for name, value in form.cleaned_data.items() if name != "parent"},
            "actor": team.actor(person(request)),
            "now": clock.now(),
        }
        saved = branches.change(branch_id=row.id, **chosen) if row.created_at else branches.create(**chosen)
        row.pk = saved.pk

    @admin.display(description=_("Below"))
    def below(self, branch: Branch) -> str:
        return getattr(branch, "parent_name", None) or ""

    @admin.display(description=_("Kept by"))
    def called(self, branch: Branch) -> SafeString | str:
        """Return which applications keep the branch, each by its own id of it."""
        lines = [
            (known.application.name, known.external_id, _opened(known))
            for known in visible_branches.external_ids(branch)
        ]
        return format_html_join(
            mark_safe("<br>"), '{} <span class="t-ref">{}</span> <span class="t-sub">{}</span>', lines
        ) or gettext("No application")

    @admin.display(description=_("Time zone"))
    def zone(self, branch: Branch) -> str:
        return branch.time_zone


def _opened(known: BranchExternalId) -> str:
    return gettext("opened it") if known.has_opened else gettext("was linked to it")
