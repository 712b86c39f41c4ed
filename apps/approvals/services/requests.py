"""Requests: asking, editing, deciding, taking back, and letting lapse."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.approvals import events
from apps.approvals.contracts import ApprovalKind, Named, NewRequest, NewStep, Verdict, payload_hash
from apps.approvals.models import ApprovalDecision, ApprovalRequest
from apps.approvals.models.request import REASON_LENGTH, SUMMARY_LENGTH
from apps.approvals.selectors import requests as stored
from apps.approvals.selectors import rules
from apps.approvals.selectors import splits as counted_deeds
from apps.approvals.services import decisions, splits, strictness, versions
from apps.audit.services import records
from apps.events.services import outbox
from apps.kit import errors, ids, locks
from apps.kit.actors import SYSTEM, Actor, ActorKind
from apps.kit.money import Money

REASON_MIN = 5


class RequestPending(errors.DomainError):
    """Another request about the same deed waits already."""

    code = "approval_pending"
    title = "Waits for approval already"


class NobodyDecides(errors.DomainError):
    """Somebody else has to agree to this deed, and no role of the organisation decides requests."""

    code = "approval_nobody_decides"
    title = "Nobody could agree"


class PayloadUnchanged(errors.Invalid):
    """Sum or summary changed without the payload, which is what decisions are bound to."""

    code = "approval_payload_unchanged"
    title = "Payload not changed"


class NotTheMaker(errors.Forbidden):
    """Only who asked may edit a request or take it back; everybody else decides."""

    code = "approval_not_the_maker"
    title = "Not your request"


class ReasonRequired(errors.Invalid):
    """A refusal or a withdrawal says why."""

    code = "approval_reason_required"
    title = "Reason required"


def is_required(kind: ApprovalKind, money: Money | None, branch_id: UUID) -> bool:
    """Say whether a deed would need approval by the rules of now."""
    return rules.matching(kind=kind.name, money=money, branch_id=branch_id) is not None


@transaction.atomic
def submit(*, request: NewRequest, actor: Actor, now: datetime) -> ApprovalRequest | None:
    """
    Ask for approval of a deed, or return None when no rule asks for it: then the asker goes on.

    A repeat with the same payload returns the request that waits; RequestPending for another payload, NobodyDecides for
    a kind that is always asked for where no role could decide. The steps are frozen: later rules change nothing of them.
    """
    locks.advisory(f"approvals:{request.kind.name}:{request.subject_id}")
    digest = payload_hash(request.payload)
    waiting = stored.pending_of(kind=request.kind.name, subject_id=request.subject_id)
    if waiting is not None:
        return _same(waiting, digest)
    money = request.money
    deed = splits.Deed(
        kind=request.kind.name,
        subject_id=request.subject_id,
        subject_reference=request.subject_reference,
        branch_id=request.branch_id,
        application_id=request.application_id,
        person=actor.person,
        counterparty=splits.digest(request.counterparty),
        money=money,
    )
    weighed = splits.weigh(deed, now=now)
    steps = weighed.steps or _least(request.kind)
    if not steps:
        splits.count(deed, request=None, now=now)
        return None
    made = ApprovalRequest(
        kind=request.kind.name,
        subject_id=request.subject_id,
        subject_reference=request.subject_reference,
        branch_id=request.branch_id,
        application_id=request.application_id,
        rule=weighed.rule,
        payload_hash=digest,
        amount_minor=money.minor if money else None,
        currency=money.currency if money else "",
        summary=request.summary[:SUMMARY_LENGTH],
        step_count=len(steps),
        step_began_at=now,
        requested_by=str(actor),
        requester=actor.person,
        created_at=now,
        expires_at=now + request.expires_in,
    )
    made.save(force_insert=True)
    versions.keep(made, payload=request.payload, names=request.names, steps=steps, actor=actor, now=now)
    splits.count(deed, request=made, now=now)
    splits.keep(made, weighed.others)
    _audit("approval.requested", made, actor=actor, now=now)
    outbox.publish(events.about(events.REQUESTED, made), now=now)
    return made


@transaction.atomic
def amend(
    *,
    request_id: UUID,
    payload: Mapping[str, Any],
    names: Iterable[Named],
    money: Money | None,
    summary: str,
    actor: Actor,
    now: datetime,
) -> ApprovalRequest:
    """
    Put another payload before the deciders: every decision so far is void, and who edits counts as a maker.

    The steps never become laxer: those of the rule of now are passed through as well, unless the frozen ones cover them
    or are covered by them. The time to decide does not grow, and the counterparty stays: for another one it is asked anew. The same payload, sum and summary change nothing; raises PayloadUnchanged when only the payload is the same,
    and as ``decisions.open_request``.
    """
    request = decisions.open_request(request_id, now=now)
    digest, summary = payload_hash(payload), summary[:SUMMARY_LENGTH]
    if digest == request.payload_hash:
        if (money, summary) != (request.money, request.summary):
            raise PayloadUnchanged("Sum and summary follow from the payload: change it too.")
        return request
    before, frozen = request.payload_hash, list(stored.steps_of(request))
    weighed = splits.weigh(_deed(request, money), now=now)
    steps = strictness.together(frozen, weighed.steps) if weighed.rule else frozen
    request.amend(
        payload_hash=digest,
        money=money,
        summary=summary,
        rule_id=weighed.rule.id if weighed.rule and steps is not frozen else request.rule_id,
        steps=len(steps),
        at=now,
    )
    request.save_progress()
    versions.keep(request, payload=payload, names=names, steps=steps, actor=actor, now=now)
    splits.keep(request, weighed.others)
    _audit("approval.amended", request, actor=actor, now=now, changes={"payload_hash": [before, digest]})
    outbox.publish(events.about(events.REQUESTED, request), now=now)
    return request


@transaction.atomic
def approve(
    *, request_id: UUID, payload_hash: str, actor: Actor, now: datetime, note: str = ""
) -> ApprovalRequest:
    """
    Approve the payload that the decider saw; the last approval that is needed decides the request.

    Raises as ``decisions.open_request`` and ``decisions.take``, and then nothing is written. The app that asked does the deed when it hears
    ``approval_decided``.
    """
    request = decisions.open_request(request_id, now=now)
    decision = decisions.take(
        request,
        digest=payload_hash,
        verdict=Verdict.APPROVED,
        reason=note[:REASON_LENGTH],
        actor=actor,
        now=now,
    )
    _audit_decision("approval.approved", decision, actor=actor, now=now)
    if not decisions.is_complete(request):
        return request
    if not request.is_at_last_step:
        request.advance(at=now)
        request.save_progress()
        return request
    request.approve(at=now)
    request.save_progress()
    outbox.publish(events.about(events.DECIDED, request), now=now)
    return request


@transaction.atomic
def refuse(
    *, request_id: UUID, payload_hash: str, reason: str, actor: Actor, now: datetime
) -> ApprovalRequest:
    """
    Refuse, with a reason: the first refusal ends the request.

    Raises ReasonRequired and as ``approve``, and then nothing is written.
    """
    reason = _reason(reason)
    request = decisions.open_request(request_id, now=now)
    decision = decisions.take(
        request, digest=payload_hash, verdict=Verdict.REFUSED, reason=reason, actor=actor, now=now
    )
    request.refuse(reason=reason, at=now)
    request.save_progress()
    _audit_decision("approval.refused", decision, actor=actor, now=now)
    outbox.publish(events.about(events.DECIDED, request), now=now)
    return request


@transaction.atomic
def withdraw(*, request_id: UUID, actor: Actor, now: datetime, reason: str) -> ApprovalRequest:
    """
    Take a request back: who made any version of it, or the system itself.

    Raises ReasonRequired, NotTheMaker, and NotFound or RequestClosed as ``decisions.open_request``; a request that has
    run out of time may still be withdrawn.
    """
    reason = _reason(reason)
    request = decisions.open_request(request_id, now=None)
    if actor.kind is not ActorKind.SYSTEM:
        require_maker(request, actor)
    request.withdraw(reason=reason, at=now)
    request.save_progress()
    _audit("approval.withdrawn", request, actor=actor, now=now, reason=reason)
    outbox.publish(events.about(events.DECIDED, request), now=now)
    return request


def require_maker(request: ApprovalRequest, actor: Actor) -> None:
    """Raise NotTheMaker but for who made a version: the same person, or the same key where nobody stands behind it."""
    is_maker = (
        actor.person in stored.makers(request) if actor.person else str(actor) in stored.made_by(request)
    )
    if not is_maker:
        raise NotTheMaker("Only who asked may edit this request or take it back. You may refuse it.")


@transaction.atomic
def call_off(*, request_id: UUID, reason: str, now: datetime) -> None:
    """Withdraw, as the system, the request of a deed that is not to be done any more; one that is closed stays as it is."""
    if decisions.locked(request_id).is_pending:
        withdraw(request_id=request_id, actor=SYSTEM, reason=reason, now=now)


@transaction.atomic
def expire(*, request_id: UUID, now: datetime, actor: Actor = SYSTEM, reason: str = "") -> ApprovalRequest:
    """Close a request that nobody decided in time; any other stays as it is."""
    request = decisions.locked(request_id)
    if request.is_pending and request.expires_at <= now:
        request.expire(at=now)
        request.save_progress()
        _audit("approval.expired", request, actor=actor, now=now, reason=reason)
        outbox.publish(events.about(events.DECIDED, request), now=now)
    return request


def _least(kind: ApprovalKind) -> Sequence[NewStep]:
    """Return what a deed needs that no rule is for: nothing, or one person who decides requests."""
    if not kind.is_always:
        return ()
    if not (step := rules.anybody()).roles:
        raise NobodyDecides("Another person has to agree to this, and no role decides requests.")
    return (step,)


def _deed(request: ApprovalRequest, money: Money | None) -> splits.Deed:
    """Return what a request that waits counts as, with another sum."""
    counted = counted_deeds.counted(request)
    return splits.Deed(
        kind=request.kind,
        subject_id=request.subject_id,
        subject_reference=request.subject_reference,
        branch_id=request.branch_id,
        application_id=request.application_id,
        person=request.requester,
        counterparty=counted.counterparty if counted else "",
        money=money,
    )


def _same(waiting: ApprovalRequest, digest: str) -> ApprovalRequest:
    if waiting.payload_hash != digest:
        reference = ids.encode(events.PREFIX, waiting.id)
        raise RequestPending(f"{reference} about the same deed waits already. Amend it or withdraw it.")
    return waiting


def _reason(text: str) -> str:
    reason = text.strip()
    if not REASON_MIN <= len(reason) <= REASON_LENGTH:
        message = f"Say why, in {REASON_MIN} to {REASON_LENGTH} characters."
        raise ReasonRequired(message, errors=[errors.FieldError("/reason", ReasonRequired.code, message)])
    return reason


def _audit_decision(action: str, decision: ApprovalDecision, *, actor: Actor, now: datetime) -> None:
    """Record a decision, and in whose name it was made."""
    changes = {"on_behalf_of": [None, decision.on_behalf_of]} if decision.on_behalf_of else None
    _audit(action, decision.request, actor=actor, now=now, reason=decision.reason, changes=changes)


def _audit(
    action: str,
    request: ApprovalRequest,
    *,
    actor: Actor,
    now: datetime,
    reason: str = "",
    changes: dict[str, Any] | None = None,
) -> None:
    records.write(
        action=action,
        object_type=events.AGGREGATE,
        object_id=ids.encode(events.PREFIX, request.id),
        actor=actor,
        now=now,
        reason=reason,
        changes=changes,
        branch=request.branch_id,
        approval=request.id,
    )
