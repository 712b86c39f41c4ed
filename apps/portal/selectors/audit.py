"""The audit log for people: lines of the list, and one record with what was changed, where it came from and its seal."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.access.selectors import branches, memberships, scope
from apps.audit.contracts import Seal, Wanted
from apps.audit.selectors import links, records
from apps.kit import errors, ids
from apps.kit.actors import ActorKind
from apps.portal.selectors import audit_changes, words

PAGES = {
    "api_key": ("admin:access_apikey_change", "key", "access.view"),
    "application": ("admin:access_application_change", "app", "access.view"),
    "approval_request": ("portal-approval", "apr", "approvals.view"),
    "approval_rule": ("admin:approvals_approvalrule_change", "arl", "approvals.view"),
    "branch": ("admin:access_branch_change", "brn", "access.view"),
    "job": ("portal-job", "job", "jobs.export"),
    "ledger_account": ("portal-account", "acc", "ledger.view"),
    "ledger_transaction": ("portal-transaction", "ltx", "ledger.view"),
    "membership": ("admin:access_membership_change", "mem", "access.view"),
    "party": ("admin:parties_party_change", "pty", "parties.view"),
    "payment_intent": ("portal-payment", "pi", "payments.view"),
    "period": ("portal-period", "per", "ledger.view"),
    "provider_account": ("admin:integrations_provideraccount_change", "pac", "integrations.view"),
    "refund": ("admin:payments_refund_change", "re", "payments.view"),
    "role": ("admin:access_role_change", "rol", "access.view"),
    "webhook_endpoint": ("admin:events_webhookendpoint_change", "whe", "webhooks.view"),
}
"""The page of each kind of thing that has one: its address, the prefix of its ids, and the permission that it needs."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the thing that a record is about has its page."""

    url_name: str
    id: UUID


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One record in the list."""

    id: UUID
    at: datetime
    action: str
    title: str
    object_type: str
    object_id: str
    who: str
    reason: str
    number: int | None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """One record with all that it says."""

    line: AuditLine
    record: Any
    on_behalf_of: str
    branch: str
    changes: tuple[audit_changes.Change, ...]
    place: Place | None
    approval: Place | None
    seal: Seal | None


def rows(caller: scope.Person, wanted: Wanted) -> QuerySet[Any]:
    """Return the records that are looked for, out of those that the reader may see."""
    return records.found_by(records.within(scope.branch_ids(caller)), wanted).order_by("-id")


def lines(found: Iterable[Any]) -> list[AuditLine]:
    """Return records as lines; each actor and all numbers are read once."""
    shown = list(found)
    numbers = links.numbers([record.id for record in shown])
    actors = {_actor(record) for record in shown}
    names = {actor: words.actor(actor) for actor in actors}
    return [_line(record, names[_actor(record)], numbers.get(record.id)) for record in shown]


def page(record_id: UUID, caller: scope.Person) -> AuditPage:
    """Return a record that the reader may see; raise NotFound for any other."""
    record = records.within(scope.branch_ids(caller)).filter(id=record_id).first()
    if record is None:
        raise errors.NotFound(_("There is no such record."))
    seal = links.of(record.id)
    is_of_key = record.actor_kind == ActorKind.API_KEY and record.person
    branch = branches.visible_to(caller).filter(id=record.branch).first() if record.branch else None
    return AuditPage(
        line=_line(record, words.actor(_actor(record)), seal.seq if seal else None),
        record=record,
        on_behalf_of=words.actor(f"user:{record.person}") if is_of_key else "",
        branch=branch.name if branch else record.branch,
        changes=tuple(audit_changes.of(record.changes)),
        place=_place(record.object_type, record.object_id, caller),
        approval=_place("approval_request", record.approval, caller) if record.approval else None,
        seal=seal,
    )


def choices(caller: scope.Person) -> dict[str, list[tuple[str, str]]]:
    """Return what the list can be narrowed to: people and kinds of actors, actions, kinds of things, branches."""
    team = memberships.everybody().order_by("user__name")
    return {
        "who": [
            *((str(member.user_id), str(member.user.name)) for member in team),
            *((kind.value, name) for kind, name in _kinds().items()),
        ],
        "action": [(name, audit_changes.word(name)) for name in records.actions()],
        "type": [(name, audit_changes.word(name)) for name in records.object_types()],
        "branch": [(str(branch.id), branch.name) for branch in branches.visible_to(caller).order_by("name")],
    }


def _line(record: Any, who: str, number: int | None) -> AuditLine:
    return AuditLine(
        id=record.id,
        at=record.occurred_at,
        action=record.action,
        title=audit_changes.word(record.action),
        object_type=audit_changes.word(record.object_type),
        object_id=record.object_id,
        who=who,
        reason=words.without_phones(record.reason),
        number=number,
    )


def _actor(record: Any) -> str:
    return f"{record.actor_kind.lower()}:{record.actor_id}"


def _kinds() -> dict[ActorKind, str]:
    return {
        ActorKind.API_KEY: _("API keys"),
        ActorKind.OPERATOR: _("The platform's operators"),
        ActorKind.PROVIDER: _("Providers"),
        ActorKind.SYSTEM: "Treasury",
    }


def _place(object_type: str, object_id: str, caller: Any) -> Place | None:
    if object_type not in PAGES:
        return None
    url_name, prefix, permission = PAGES[object_type]
    if not caller.has_perm(permission):
        return None
    try:
        key = ids.decode(prefix, object_id) if object_id.startswith(f"{prefix}_") else UUID(object_id)
    except ValueError:
        return None
    return Place(url_name, key)
