"""Routing rules: made, replaced and retired, by two people where an approval rule says so."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction

from apps.access.selectors import applications, branches
from apps.approvals.contracts import ApprovalStatus, Decided, Named, NewRequest
from apps.approvals.selectors import requests as asked
from apps.approvals.services import requests
from apps.audit.services import records
from apps.integrations.services import accounts
from apps.kit import errors, ids, locks
from apps.kit.actors import Actor
from apps.payments.contracts import (
    ROUTING_RULE,
    Method,
    NewRoutingRule,
    NewRoutingTarget,
    RoutingAction,
    RoutingStrategy,
)
from apps.payments.models import RoutingRule, RoutingTarget
from apps.payments.selectors import routing as stored
from apps.payments.services.routing_checks import RoutingRuleInvalid, check, check_place

OBJECT = "routing_rule"
LOCK = "payments:routing_rules"
"""Changes come one after the other: a place is taken once."""

log = structlog.get_logger(__name__)


class RoutingRuleRetired(errors.DomainError):
    """The routing rule is out of use already."""

    code = "routing_rule_retired"
    title = "Rule out of use"


class RoutingRuleForeign(errors.Forbidden):
    """The routing rule is of payments of another application than the key's."""

    code = "routing_rule_foreign"
    title = "Rule of another application"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a change: ``rule`` came to hold or went out of use, or other people decide first (``approval_id``)."""

    rule: RoutingRule | None = None
    approval_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class _Change:
    """What is asked for: ``rule`` is to hold as ``new_id``, and ``old_id`` to go out of use."""

    action: RoutingAction
    rule: NewRoutingRule | None = None
    new_id: UUID | None = None
    old_id: UUID | None = None

    @property
    def subject_id(self) -> UUID:
        """The rule that it is about: one change of a rule waits at a time."""
        subject = self.old_id or self.new_id
        if subject is None:
            raise TypeError("a change is about a rule")
        return subject

    def payload(self) -> dict[str, Any]:
        return {
            "action": self.action.value,
            "rule": described(self.rule) if self.rule else None,
            "new_id": str(self.new_id or ""),
            "old_id": str(self.old_id or ""),
        }


@transaction.atomic
def create(
    *,
    rule: NewRoutingRule,
    actor: Actor,
    now: datetime,
    within: Collection[UUID] | None = None,
    application_id: UUID | None = None,
    reason: str = "",
) -> Outcome:
    """
    Make a rule for attempts that begin from now on, or ask for it where an approval rule says so.

    ``within`` are the branches that the caller may act for, None for all, ``application_id`` is that of a key. Raises
    RoutingRuleInvalid, which names the fields, and BranchForbidden for a rule that would hold elsewhere too.
    """
    locks.advisory(LOCK)
    check(rule, within=within, application_id=application_id)
    change = _Change(RoutingAction.CREATE, rule, new_id=ids.new())
    return _done_or_asked(change, application_id=application_id, actor=actor, now=now, reason=reason)


@transaction.atomic
def replace(
    *,
    rule_id: UUID,
    rule: NewRoutingRule,
    actor: Actor,
    now: datetime,
    within: Collection[UUID] | None = None,
    application_id: UUID | None = None,
    reason: str = "",
) -> Outcome:
    """
    Put the next version of a rule in its place, at no moment with neither, or ask for it as ``create``.

    Raises as ``create``, RoutingRuleForeign, NotFound, RoutingRuleRetired, and RequestPending where another change of it waits.
    """
    locks.advisory(LOCK)
    _check_own(stored.get(rule_id), within=within, application_id=application_id)
    _in_use(rule_id)
    check(rule, within=within, application_id=application_id, instead_of=rule_id)
    change = _Change(RoutingAction.REPLACE, rule, new_id=ids.new(), old_id=rule_id)
    return _done_or_asked(change, application_id=application_id, actor=actor, now=now, reason=reason)


@transaction.atomic
def retire(
    *,
    rule_id: UUID,
    actor: Actor,
    now: datetime,
    within: Collection[UUID] | None = None,
    application_id: UUID | None = None,
    reason: str = "",
) -> Outcome:
    """
    Take a rule out of use for good, or ask for that as ``create``; one that is out of use stays so.

    Raises NotFound, BranchForbidden and RoutingRuleForeign.
    """
    locks.advisory(LOCK)
    rule = stored.get(rule_id)
    _check_own(rule, within=within, application_id=application_id)
    if not rule.is_active:
        return Outcome(rule=rule)
    change = _Change(RoutingAction.RETIRE, old_id=rule_id)
    return _done_or_asked(change, application_id=application_id, actor=actor, now=now, reason=reason)


@transaction.atomic
def decide(*, decided: Decided, now: datetime) -> RoutingRule | None:
    """
    Do a change that other people have agreed to, in the name of who asked; None where they have not.

    A repeat changes nothing, and neither does an agreement to what is not possible any more, which is logged.
    """
    if decided.status != ApprovalStatus.APPROVED:
        return None
    locks.advisory(LOCK)
    request = asked.within(None, None).get(id=decided.request_id)
    change = _change_of(asked.present_version(request).payload)
    if change.new_id and RoutingRule.objects.filter(id=change.new_id).exists():
        return None
    try:
        with transaction.atomic():
            if change.rule is not None:
                check(change.rule, within=None, instead_of=change.old_id)
            return _do(change, actor=asked.maker_of(request), approved_by=asked.approvers(request), now=now)
    except (RoutingRuleInvalid, RoutingRuleRetired, errors.NotFound) as refusal:
        log.warning("routing_change_not_possible", request_id=str(request.id), code=refusal.code)
        return None


def described(rule: NewRoutingRule) -> dict[str, Any]:
    """Return a rule in JSON values, for the audit trail and for who decides a change of it."""
    return {
        "name": rule.name,
        "position": rule.position,
        "branch": str(rule.branch_id or ""),
        "application": str(rule.application_id or ""),
        "method": rule.method or "",
        "currency": rule.currency,
        "minimum": "" if rule.minimum_minor is None else str(rule.minimum_minor),
        "maximum": "" if rule.maximum_minor is None else str(rule.maximum_minor),
        "weekdays": rule.weekdays,
        "from_time": rule.from_time.isoformat() if rule.from_time else "",
        "to_time": rule.to_time.isoformat() if rule.to_time else "",
        "strategy": rule.strategy.value,
        "targets": [{"account": str(each.account_id), "weight": each.weight} for each in rule.targets],
    }


def read(told: dict[str, Any]) -> NewRoutingRule:
    """Return the rule that JSON values of ``described`` are."""
    return NewRoutingRule(
        name=told["name"],
        position=told["position"],
        targets=tuple(NewRoutingTarget(UUID(each["account"]), each["weight"]) for each in told["targets"]),
        strategy=RoutingStrategy(told["strategy"]),
        branch_id=_id(told["branch"]),
        application_id=_id(told["application"]),
        method=Method(told["method"]) if told["method"] else None,
        currency=told["currency"],
        minimum_minor=int(told["minimum"]) if told["minimum"] else None,
        maximum_minor=int(told["maximum"]) if told["maximum"] else None,
        weekdays=told["weekdays"],
        from_time=time.fromisoformat(told["from_time"]) if told["from_time"] else None,
        to_time=time.fromisoformat(told["to_time"]) if told["to_time"] else None,
    )


def _change_of(payload: dict[str, Any]) -> _Change:
    """Return the change that a payload of ours is."""
    rule = read(payload["rule"]) if payload["rule"] else None
    return _Change(RoutingAction(payload["action"]), rule, _id(payload["new_id"]), _id(payload["old_id"]))


def _id(text: str) -> UUID | None:
    return UUID(text) if text else None


def _done_or_asked(
    change: _Change, *, application_id: UUID | None, actor: Actor, now: datetime, reason: str
) -> Outcome:
    request = requests.submit(request=_asked(change, application_id), actor=actor, now=now)
    if request is not None:
        return Outcome(approval_id=request.id)
    return Outcome(rule=_do(change, actor=actor, now=now, reason=reason))


def _asked(change: _Change, application_id: UUID | None) -> NewRequest:
    old = stored.get(change.old_id) if change.old_id else None
    name = change.rule.name if change.rule else str(old)
    branch_id = change.rule.branch_id if change.rule else old and old.branch_id
    return NewRequest(
        kind=ROUTING_RULE,
        subject_id=change.subject_id,
        subject_reference=ids.encode(stored.PREFIX, change.subject_id),
        payload=change.payload(),
        names=[*_named(change, old)],
        branch_id=branch_id or branches.head_office().id,
        application_id=application_id or applications.portal().id,
        summary=f"{change.action.capitalize()} routing rule {name}",
    )


def _named(change: _Change, old: RoutingRule | None) -> Iterator[Named]:
    """Yield the rule that goes out of use, and the accounts that payments are to go through."""
    if old is not None:
        yield Named(OBJECT, ids.encode(stored.PREFIX, old.id), made_by=old.created_by)
    for target in change.rule.targets if change.rule else ():
        yield Named(accounts.OBJECT_TYPE, str(target.account_id))


def _do(
    change: _Change, *, actor: Actor, now: datetime, approved_by: str = "", reason: str = ""
) -> RoutingRule:
    old = _in_use(change.old_id) if change.old_id else None
    if old is not None:
        old.is_active, old.retired_at = False, now
        old.save(update_fields=["is_active", "retired_at"])
    if change.rule is None:
        retired = stored.get(change.subject_id)
        _record("retired", retired, {"is_active": [True, False]}, actor, now, reason)
        return retired
    made = _made(change.rule, change.new_id, old=old, actor=actor, approved_by=approved_by, now=now)
    before = described(stored.terms_of(old)) if old else None
    changes = {"rule": [before, described(change.rule)], "approved_by": [None, approved_by]}
    _record("replaced" if old else "created", made, changes, actor, now, reason)
    return made


def _made(
    rule: NewRoutingRule,
    rule_id: UUID | None,
    *,
    old: RoutingRule | None,
    actor: Actor,
    approved_by: str,
    now: datetime,
) -> RoutingRule:
    made = RoutingRule.objects.create(
        id=rule_id or ids.new(),
        name=rule.name,
        version=old.version + 1 if old else 1,
        replaces=old,
        position=rule.position,
        branch_id=rule.branch_id,
        for_application_id=rule.application_id,
        method=rule.method or "",
        currency=rule.currency,
        minimum_minor=rule.minimum_minor,
        maximum_minor=rule.maximum_minor,
        weekdays=rule.weekdays,
        from_time=rule.from_time,
        to_time=rule.to_time,
        strategy=rule.strategy.value,
        created_by=str(actor),
        approved_by=approved_by,
        created_at=now,
    )
    RoutingTarget.objects.bulk_create(
        RoutingTarget(rule=made, account_id=target.account_id, place=place, weight=target.weight)
        for place, target in enumerate(rule.targets, start=1)
    )
    return made


def _check_own(rule: RoutingRule, *, within: Collection[UUID] | None, application_id: UUID | None) -> None:
    """Refuse a change of a rule of other branches than those ``within``, or of another application than that of a key."""
    check_place(rule.branch_id, within)
    if application_id is not None and rule.for_application_id not in (None, application_id):
        raise RoutingRuleForeign("You may change the routing rules of your own application only.")


def _in_use(rule_id: UUID) -> RoutingRule:
    rule = RoutingRule.objects.locked().filter(id=rule_id).first()
    if rule is None:
        raise errors.NotFound("There is no such routing rule.")
    if not rule.is_active:
        raise RoutingRuleRetired("This rule is out of use already. Make a new one.")
    return rule


def _record(
    deed: str,
    rule: RoutingRule,
    changes: dict[str, Any],
    actor: Actor,
    now: datetime,
    reason: str,
) -> None:
    records.write(
        action=f"routing_rule.{deed}",
        object_type=OBJECT,
        object_id=ids.encode(stored.PREFIX, rule.id),
        actor=actor,
        now=now,
        changes=changes,
        reason=reason,
    )
