"""Changes of the approval rules: a second person agrees to each, by the rules that were in force when it was asked for."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction

from apps.access.selectors import applications, branches, memberships
from apps.approvals.contracts import (
    KINDS,
    RULE_CHANGE,
    ApprovalStatus,
    Decided,
    Named,
    NewRequest,
    NewRule,
    RuleAction,
)
from apps.approvals.models import ApprovalRequest, ApprovalRule
from apps.approvals.selectors import authority
from apps.approvals.selectors import requests as stored
from apps.approvals.selectors import rule_changes as asked
from apps.approvals.selectors import rules as stored_rules
from apps.approvals.services import decisions, requests, rules
from apps.approvals.services.rules import OBJECT, PREFIX
from apps.audit.services import records
from apps.kit import errors, ids
from apps.kit.actors import Actor, ActorKind
from apps.tenancy.selectors import organisations
from apps.tenancy.services import policies

log = structlog.get_logger(__name__)


class NotARuleChange(errors.DomainError):
    """Only a change of rules that puts a rule in place is edited here."""

    code = "approval_not_a_rule_change"
    title = "Not a change of a rule"


class NotARuleManager(errors.Forbidden):
    """A key asks for other rules only while the person who made it manages approvals."""

    code = "approval_not_a_rule_manager"
    title = "Does not manage approvals"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a change: ``rule`` came to hold or went out of use, or ``request`` waits for somebody else."""

    rule: ApprovalRule | None = None
    request: ApprovalRequest | None = None


@dataclass(frozen=True, slots=True)
class _Change:
    """
    What is asked for: ``rule`` is to hold as ``new_id``, and ``old_id`` to go out of use.

    ``within`` are the branches that who asked may act for, None for all.
    """

    action: RuleAction
    rule: NewRule | None
    new_id: UUID | None
    old_id: UUID | None
    within: frozenset[UUID] | None

    @property
    def subject_id(self) -> UUID:
        """The rule that it is about: one change of a rule waits at a time."""
        subject = self.old_id or self.new_id
        if subject is None:
            raise TypeError("a change is about a rule")
        return subject

    def do(self, *, actor: Actor, now: datetime) -> ApprovalRule:
        if self.rule is None:
            return rules.deactivate(rule_id=self.subject_id, within=self.within, actor=actor, now=now)
        if self.old_id is None:
            return rules.create(rule=self.rule, rule_id=self.new_id, within=self.within, actor=actor, now=now)
        return rules.replace(
            rule_id=self.old_id,
            rule=self.rule,
            new_id=self.new_id,
            within=self.within,
            actor=actor,
            now=now,
        )


def create(
    *,
    rule: NewRule,
    application_id: UUID | None = None,
    actor: Actor,
    now: datetime,
    within: Collection[UUID] | None = None,
) -> Outcome:
    """
    Ask for a rule, or make it at once in a small team that nobody else decides in. Raises NotARuleManager for a key, and as ``rules.create``.

    ``application_id`` is whose request that is, the portal's unless told.
    """
    change = _Change(RuleAction.CREATE, rule, ids.new(), None, _frozen(within))
    return _ask(change, application_id=application_id, actor=actor, now=now)


def replace(
    *,
    rule_id: UUID,
    rule: NewRule,
    application_id: UUID | None = None,
    actor: Actor,
    now: datetime,
    within: Collection[UUID] | None = None,
) -> Outcome:
    """Ask for another rule in the place of one, or put it there at once, as ``create``. Raises as ``rules.replace``, RequestPending."""
    change = _Change(RuleAction.REPLACE, rule, ids.new(), rule_id, _frozen(within))
    return _ask(change, application_id=application_id, actor=actor, now=now)


def deactivate(
    *,
    rule_id: UUID,
    application_id: UUID | None = None,
    actor: Actor,
    now: datetime,
    within: Collection[UUID] | None = None,
) -> Outcome:
    """Ask to take a rule out of use, or do it at once, as ``create``. Raises as ``rules.deactivate``, RequestPending."""
    change = _Change(RuleAction.DEACTIVATE, None, None, rule_id, _frozen(within))
    return _ask(change, application_id=application_id, actor=actor, now=now)


@transaction.atomic
def amend(
    *,
    request_id: UUID,
    rule: NewRule,
    actor: Actor,
    now: datetime,
    within: Collection[UUID] | None = None,
) -> ApprovalRequest:
    """
    Put another rule before the deciders of a change that waits: who asked for it does, and every decision so far is void.

    It is checked as it was at first, and passes through the steps of the rules of now as well. Raises NotTheMaker,
    NotARuleChange, NotARuleManager for a key, and as ``rules.create`` and ``decisions.open_request``.
    """
    request = decisions.open_request(request_id, now=now)
    if request.kind != RULE_CHANGE.name:
        raise NotARuleChange("This request is about something else. Withdraw it and ask anew.")
    requests.require_maker(request, actor)
    _require_manager(actor)
    present = _read(stored.present_version(request).payload)
    if present.rule is None:
        raise NotARuleChange("It takes a rule out of use. Withdraw it and ask anew.")
    change = _Change(present.action, rule, present.new_id, present.old_id, _frozen(within))
    if _place(change) != request.branch_id:
        raise NotARuleChange("It would be about other branches. Withdraw it and ask anew.")
    tried = _tried(change, actor=actor, now=now)
    return requests.amend(
        request_id=request_id,
        payload=_payload(change, tried),
        names=_names(change),
        money=None,
        summary=_summary(change, tried),
        actor=actor,
        now=now,
    )


@transaction.atomic
def decide(*, decided: Decided, now: datetime) -> ApprovalRule | None:
    """
    Do what somebody else has agreed to, in the name of who asked; return None where nobody has.

    A repeat changes nothing. What cannot be any more, as the rule went out of use meanwhile, is left, and the trail says why.
    """
    if decided.status != ApprovalStatus.APPROVED:
        return None
    request = stored.within(None, None).get(id=decided.request_id)
    change, maker = _read(stored.present_version(request).payload), stored.maker_of(request)
    if change.new_id and (known := ApprovalRule.objects.filter(id=change.new_id).first()):
        return known
    try:
        with transaction.atomic():
            return change.do(actor=maker, now=now)
    except errors.DomainError as refusal:
        log.warning("approvals.rule_change_left", request_id=str(request.id), code=refusal.code)
        records.write(
            action="approval_rule.change_left",
            object_type=OBJECT,
            object_id=ids.encode(PREFIX, change.subject_id),
            actor=maker,
            now=now,
            reason=refusal.detail,
        )
        return None


@transaction.atomic
def _ask(change: _Change, *, application_id: UUID | None, actor: Actor, now: datetime) -> Outcome:
    _require_manager(actor)
    if change.rule is None and not stored_rules.get(change.subject_id).is_active:
        return Outcome(rule=change.do(actor=actor, now=now))
    is_small = policies.is_small_team(organisation_id=organisations.current().id)
    if is_small and not authority.is_anybody_else(actor.person):
        return Outcome(rule=_alone(change, actor=actor, now=now))
    tried = _tried(change, actor=actor, now=now)
    request = requests.submit(
        request=NewRequest(
            kind=RULE_CHANGE,
            subject_id=change.subject_id,
            subject_reference=ids.encode(PREFIX, change.subject_id),
            payload=_payload(change, tried),
            names=_names(change),
            branch_id=_place(change),
            application_id=application_id or applications.portal().id,
            summary=_summary(change, tried),
        ),
        actor=actor,
        now=now,
    )
    return Outcome(request=request)


def _require_manager(actor: Actor) -> None:
    """Refuse a key whose maker has left or manages approvals no more: its scope was given in his name."""
    member = memberships.of_person(actor.person)
    if actor.kind == ActorKind.API_KEY and (
        member is None or stored_rules.MANAGE not in member.role.permissions
    ):
        raise NotARuleManager("Who made this key does not manage approvals any more.")


def _alone(change: _Change, *, actor: Actor, now: datetime) -> ApprovalRule:
    """Do it without a second person, as a small team may where there is none, and say so aloud: in the log and in a record of its own."""
    rule = change.do(actor=actor, now=now)
    log.warning("approvals.rule_changed_alone", action=change.action, rule_id=str(rule.id))
    records.write(
        action="approval_rule.changed_alone",
        object_type=OBJECT,
        object_id=ids.encode(PREFIX, rule.id),
        actor=actor,
        now=now,
        changes={"action": [None, change.action.value]},
        reason="A small team: nobody else agreed to this change.",
    )
    return rule


def _tried(change: _Change, *, actor: Actor, now: datetime) -> dict[str, Any]:
    """Return the rule that would come to hold or go, in JSON values; whatever refuses the change refuses it here already."""
    with transaction.atomic():
        rule = change.do(actor=actor, now=now)
        said = rules.described(rule, stored_rules.steps_of(rule))
        transaction.set_rollback(True)
    return said


def _payload(change: _Change, tried: dict[str, Any]) -> dict[str, Any]:
    """Return all that is decided: the rule as it is to be, and the one that goes as it is."""
    before = None
    if change.old_id is not None:
        old = stored_rules.get(change.old_id)
        before = rules.described(old, stored_rules.steps_of(old))
    return {
        "action": change.action.value,
        "rule": ids.encode(PREFIX, change.new_id) if change.new_id else "",
        "in_place_of": ids.encode(PREFIX, change.old_id) if change.old_id else "",
        "within": None if change.within is None else sorted(str(branch_id) for branch_id in change.within),
        "wanted": tried if change.rule else None,
        "before": before,
    }


def _read(payload: dict[str, Any]) -> _Change:
    within = payload["within"]
    return _Change(
        action=RuleAction(payload["action"]),
        rule=asked.rule(payload["wanted"]) if payload["wanted"] else None,
        new_id=ids.decode(PREFIX, payload["rule"]) if payload["rule"] else None,
        old_id=ids.decode(PREFIX, payload["in_place_of"]) if payload["in_place_of"] else None,
        within=None if within is None else frozenset(UUID(branch_id) for branch_id in within),
    )


def _names(change: _Change) -> list[Named]:
    """Return the rule that goes: who made it, or was the last to change it, does not agree to its end."""
    if change.old_id is None:
        return []
    old = stored_rules.get(change.old_id)
    return [Named(OBJECT, ids.encode(PREFIX, old.id), made_by=old.created_by)]


def _place(change: _Change) -> UUID:
    """Return the branch whose people decide: that of the rules, or head office where they hold in more than one."""
    places = {change.rule.branch_id} if change.rule else set()
    if change.old_id is not None:
        places.add(stored_rules.get(change.old_id).branch_id)
    place = places.pop()
    return place if place and not places else branches.head_office().id


def _summary(change: _Change, tried: dict[str, Any]) -> str:
    title = str(KINDS[tried["kind"]].title) if tried["kind"] in KINDS else tried["kind"]
    said = {
        RuleAction.CREATE: "New approval rule for: {title}",
        RuleAction.REPLACE: "Other approval rule for: {title}",
        RuleAction.DEACTIVATE: "Approval rule out of use for: {title}",
    }
    return said[change.action].format(title=title)


def _frozen(within: Collection[UUID] | None) -> frozenset[UUID] | None:
    return None if within is None else frozenset(within)
