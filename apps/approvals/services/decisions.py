"""Decisions: whether a request can be decided now, and the row that says what a person decided."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.access.selectors import limits
from apps.approvals.contracts import KINDS, Verdict
from apps.approvals.models import ApprovalDecision, ApprovalRequest
from apps.approvals.selectors import authority, delegations, splits
from apps.approvals.selectors import requests as stored
from apps.approvals.selectors.authority import NotADecider
from apps.kit import errors
from apps.kit.actors import Actor


class RequestClosed(errors.DomainError):
    """The request was decided, withdrawn or closed already."""

    code = "approval_closed"
    title = "Closed already"


class RequestExpired(errors.DomainError):
    """The time to decide is over."""

    code = "approval_expired"
    title = "Time is over"


class PayloadChanged(errors.DomainError):
    """The request was edited after the decider saw it."""

    code = "approval_payload_changed"
    title = "Changed meanwhile"


def locked(request_id: UUID) -> ApprovalRequest:
    """Return the request under its lock; raise NotFound for one that does not exist."""
    request = ApprovalRequest.objects.locked().filter(id=request_id).first()
    if request is None:
        raise errors.NotFound("There is no such approval request.")
    return request


def open_request(request_id: UUID, *, now: datetime | None) -> ApprovalRequest:
    """
    Return a request that waits, under its lock; with ``now`` also one that is still in time.

    Raises NotFound, RequestClosed, RequestExpired.
    """
    request = locked(request_id)
    if not request.is_pending:
        raise RequestClosed(f"This request is {request.status.lower()} already.")
    if now is not None and request.expires_at <= now:
        raise RequestExpired("Nobody decided this request in time. Ask anew.")
    return request


def take(
    request: ApprovalRequest, *, digest: str, verdict: Verdict, reason: str, actor: Actor, now: datetime
) -> ApprovalDecision:
    """
    Keep what a person decides on a request that is locked, and return it: his own decision, or one in the name of who
    delegated to him.

    A delegation that is used is locked: it was either revoked before, or holds for this decision. Raises PayloadChanged and
    as ``authority.find``, LimitExceeded where the sum, with what it was counted together with, is above what the role in use may approve, and then nothing is written.
    """
    if digest != request.payload_hash:
        raise PayloadChanged("This request was edited after you opened it. Read it again, then decide.")
    right = authority.find(request, actor.person, now=now)
    if right.delegation and not delegations.hold(right.delegation, now=now):
        raise NotADecider("What was delegated to you has just been taken back.")
    if verdict is Verdict.APPROVED:
        _require_within_limit(request, right)
    decision = ApprovalDecision(
        request=request,
        payload_version=request.payload_version,
        payload_hash=digest,
        step=request.current_step,
        verdict=verdict.value,
        membership=right.decider,
        person=actor.person,
        role=right.holder.role.code,
        delegation=right.delegation,
        on_behalf_of=right.on_behalf_of,
        decided_by=str(actor),
        reason=reason,
        decided_at=now,
    )
    try:
        with transaction.atomic():
            decision.save(force_insert=True)
    except IntegrityError:
        # Somebody's change of what the request names was committed since: then this refuses in words.
        authority.find(request, actor.person, now=now)
        raise
    return decision


def _require_within_limit(request: ApprovalRequest, right: authority.Authority) -> None:
    money = splits.whole_of(request)
    if money is None and request.kind in KINDS and KINDS[request.kind].has_sum:
        limits.require_no_limit(member=right.holder)
    limits.require_may_approve(member=right.holder, money=money)


def is_complete(request: ApprovalRequest) -> bool:
    """Say whether enough people have approved the present step of the present version."""
    step = stored.present_step(request)
    approved = stored.valid_decisions(request).filter(step=step.sequence, verdict=Verdict.APPROVED)
    return approved.count() >= step.needed
