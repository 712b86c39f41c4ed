"""The list of approval requests as an export: approvals stands below jobs, so its list is declared here."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.approvals.contracts import KINDS, ApprovalStatus
from apps.approvals.selectors import requests
from apps.jobs.contracts import Choice, Column, Reach, Source, ValueKind, declare_source
from apps.kit import ids


def _rows(reach: Reach) -> QuerySet[Any]:
    return requests.within(reach.branch_ids, reach.application_ids).order_by("-id")


def _id(value: UUID) -> str:
    return ids.encode("apr", value)


def _word(value: Any) -> str:
    return str(value).replace("_", " ").capitalize()


def _kind(value: str) -> str:
    return str(KINDS[value].title) if value in KINDS else value


APPROVALS = declare_source(
    Source(
        name="approvals",
        title=_("Approval requests"),
        permission="approvals.view",
        scope="approvals:read",
        columns=(
            Column(_("Asked"), "created_at", ValueKind.INSTANT),
            Column(_("Request"), "id", shown=_id),
            Column(_("Kind"), "kind", shown=_kind),
            Column(_("About"), "summary"),
            Column(_("Reference"), "subject_reference"),
            Column(_("Branch"), "branch__name"),
            Column(_("Step"), "current_step", ValueKind.COUNT),
            Column(_("Steps"), "step_count", ValueKind.COUNT),
            Column(_("Status"), "status", shown=_word),
            Column(_("Reason"), "reason"),
            Column(_("Decided"), "decided_at", ValueKind.INSTANT),
            Column(_("Amount"), "amount_minor", ValueKind.MONEY, "currency"),
        ),
        rows=_rows,
        branch_field="branch_id",
        day_field="created_at",
        choices=(
            Choice("status", _("Status"), "status", {state.value: _word(state) for state in ApprovalStatus}),
            Choice("kind", _("Kind"), "kind", {kind.name: kind.title for kind in KINDS.values()}),
        ),
        search=requests.found_by,
        list_names={"status": "status", "kind": "kind", "q": "search"},
    )
)
