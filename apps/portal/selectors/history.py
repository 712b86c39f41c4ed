"""What became of a row of settings, for people: each change with its fields, who did it and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.selectors import applications, branches, memberships, roles, scope
from apps.audit.selectors import history, records
from apps.kit import errors
from apps.kit.history import RowHistory
from apps.portal.selectors import audit_changes, words
from apps.tenancy.selectors import organisation_history, organisations

PERMISSION = "audit.view"
CHART = ("ledger_chartline", "ledger_book")
TITLES = {
    "access_apikey": gettext_lazy("API key"),
    "access_application": gettext_lazy("Application"),
    "access_branch": gettext_lazy("Branch"),
    "access_membership": gettext_lazy("Membership"),
    "access_membership_branches": gettext_lazy("Branch of a membership"),
    "access_role": gettext_lazy("Role"),
    "access_rolelimit": gettext_lazy("Limit of a role"),
    "approvals_approvaldelegation": gettext_lazy("Delegation"),
    "approvals_approvalrule": gettext_lazy("Rule of approval"),
    "approvals_approvalstep": gettext_lazy("Step of a rule"),
    "events_webhookendpoint": gettext_lazy("Webhook endpoint"),
    "integrations_provideraccount": gettext_lazy("Provider account"),
    "integrations_providererrorrule": gettext_lazy("Rule of refusals"),
    "ledger_book": gettext_lazy("Book"),
    "ledger_chartline": gettext_lazy("Line of the chart"),
    "payments_routingrule": gettext_lazy("Routing rule"),
    "payments_routingtarget": gettext_lazy("Account of a routing rule"),
    "tenancy_domain": gettext_lazy("Domain"),
    "tenancy_organisation": gettext_lazy("Organisation"),
}
DEEDS = {
    "INSERT": gettext_lazy("added"),
    "UPDATE": gettext_lazy("changed"),
    "DELETE": gettext_lazy("removed"),
}


@dataclass(frozen=True, slots=True)
class Kept:
    """One change of one row. Nobody is named where no audit record belongs to it: ``role`` is that of the database."""

    at: datetime
    title: str
    deed: str
    who: str
    reason: str
    record_id: UUID | None
    role: str
    changes: tuple[audit_changes.Change, ...]


def is_kept(table: str) -> bool:
    """Whether the database keeps what becomes of the rows of a table."""
    return table in settings.WATCHED_TABLES


def of_row(table: str, row_id: object) -> QuerySet[Any]:
    return history.of(table=table, row_id=str(row_id))


def may_read_all(caller: Any) -> bool:
    """Whether somebody reads what is of the whole organisation."""
    return caller.has_perm(PERMISSION) and scope.branch_ids(caller) is None


def of_chart(caller: scope.Person) -> QuerySet[Any]:
    """Return what became of the chart of accounts and the book; raise NotFound for who does not see the whole of it."""
    _require_all_branches(caller)
    return history.of_tables(CHART)


def of_organisation(caller: scope.Person) -> QuerySet[Any]:
    """Return what became of the organisation's own row and domains; raise NotFound for who does not see all branches."""
    _require_all_branches(caller)
    return organisation_history.of(organisations.current().id)


def lines(found: Iterable[RowHistory], caller: scope.Person) -> list[Kept]:
    """Return changes as people read them; what stands for a row that the reader may see bears its name."""
    shown = list(found)
    deeds = history.deeds(shown)
    visible = records.within(scope.branch_ids(caller)).filter(id__in=[deed.id for deed in deeds.values()])
    readable = set(visible.values_list("id", flat=True))
    actors = {(deed.actor_kind, deed.actor_id) for deed in deeds.values()}
    people = {actor: words.actor(f"{actor[0].lower()}:{actor[1]}") for actor in actors}
    names = _names(caller)
    return [_kept(change, deeds.get(change.number), readable, people, names) for change in shown]


def _kept(
    change: RowHistory,
    deed: Any,
    readable: set[UUID],
    people: dict[tuple[str, str], str],
    names: dict[str, str],
) -> Kept:
    is_readable = deed is not None and deed.id in readable
    return Kept(
        at=change.changed_at,
        title=str(TITLES.get(change.table_name, change.table_name)),
        deed=str(DEEDS[change.operation]),
        who=people[(deed.actor_kind, deed.actor_id)] if deed else "",
        reason=words.without_phones(deed.reason) if deed and is_readable else "",
        record_id=deed.id if deed and is_readable else None,
        role=change.database_user,
        changes=tuple(_changes(change, names)),
    )


def _changes(change: RowHistory, names: dict[str, str]) -> Iterable[audit_changes.Change]:
    before, after = change.before or {}, change.after or {}
    fields = [name for name in {**before, **after} if name != "id"]
    yield from audit_changes.of(
        {
            name.removesuffix("_id"): [_named(before.get(name), names), _named(after.get(name), names)]
            for name in fields
        }
    )
    for name in change.hidden:
        yield audit_changes.Change(audit_changes.word(name), "", _("not kept"))


def _named(value: Any, names: dict[str, str]) -> Any:
    return names.get(value, value) if isinstance(value, str) else value


def _names(caller: scope.Person) -> dict[str, str]:
    """Return the names of what settings point to, by the key that stands for it."""
    team = list(memberships.everybody())
    pairs: list[tuple[UUID, str]] = [
        *((branch.id, branch.name) for branch in branches.visible_to(caller)),
        *applications.names().items(),
        *roles.named().items(),
        *((member.id, str(member.user.name)) for member in team),
        *((member.user_id, str(member.user.name)) for member in team),
    ]
    return {str(key): name for key, name in pairs}


def _require_all_branches(caller: scope.Person) -> None:
    if scope.branch_ids(caller) is not None:
        raise errors.NotFound(_("Only who works for all branches reads this history."))
