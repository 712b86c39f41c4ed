"""Approve refund: over a limit other people decide first, and their decision is done once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from apps.approvals.contracts import ApprovalStatus, Decided
from apps.approvals.models import ApprovalRequest
from apps.approvals.selectors import authority
from apps.approvals.services import requests
from apps.events.models import OutboxEvent
from apps.kit import ids
from apps.kit.actors import PROVIDER
from apps.kit.money import Money
from apps.payments import subscribers
from apps.payments.contracts import RefundStatus
from apps.payments.models import Refund
from apps.payments.services import refund_limits, refunds, sendings
from tests.factories import approvals, payments
from tests.factories import refunds as made
from tests.payments.conftest import told

NOW = made.NOW
LATER = NOW + timedelta(minutes=10)
KES_20000 = Money(20_000_00, "KES")


@pytest.fixture
def waiting(acme):
    """Return a refund of KES 20,000.00 that waits for one approver."""
    approvals.rule()
    return made.requested(made.paid(money=KES_20000), actor=approvals.maker())


def request_of(refund):
    return ApprovalRequest.objects.get(id=refund.approval_id)


def approve(refund):
    """Approve as another person, and do what that means."""
    request = request_of(refund)
    requests.approve(
        request_id=request.id, payload_hash=request.payload_hash, actor=approvals.person(), now=LATER
    )
    return decide(refund)


def decided(refund):
    event = OutboxEvent.objects.get(type="approval_decided", aggregate_id=refund.approval_id)
    return Decided.read(event.data)


def decide(refund, **facts):
    refunds.decide(decided=replace(decided(refund), **facts), now=LATER)
    return made.reloaded(refund)


def test_waits_and_is_not_sent(waiting):
    assert waiting.status == RefundStatus.AWAITING_APPROVAL
    assert sendings.begin(refund_id=waiting.id, now=LATER) is None
    assert payments.reloaded(waiting.attempt).refund_pending_minor == KES_20000.minor
    assert request_of(waiting).subject_reference == ids.encode("re", waiting.id)
    said = OutboxEvent.objects.get(type="refund_requested").data["object"]
    assert said["status"] == "awaiting_approval"
    assert said["approval_id"] == ids.encode("apr", waiting.approval_id)


def test_below_the_limit_nobody_is_asked(acme):
    approvals.rule()

    assert made.requested(actor=approvals.maker()).status == RefundStatus.REQUESTED
    assert not ApprovalRequest.objects.exists()


def test_is_sent_once_approved(waiting):
    refund = approve(waiting)

    assert (refund.status, refund.next_request_at) == (RefundStatus.REQUESTED, LATER)
    sendings.begin(refund_id=refund.id, now=LATER)
    assert decide(refund).status == RefundStatus.SENDING


def test_the_maker_cannot_approve(waiting):
    request = request_of(waiting)

    with pytest.raises(authority.OwnRequest):
        requests.approve(
            request_id=request.id, payload_hash=request.payload_hash, actor=approvals.maker(), now=LATER
        )

    assert made.reloaded(waiting).status == RefundStatus.AWAITING_APPROVAL


def test_is_cancelled_once_refused(waiting):
    request = request_of(waiting)
    requests.refuse(
        request_id=request.id,
        payload_hash=request.payload_hash,
        reason="The goods were delivered",
        actor=approvals.person(),
        now=LATER,
    )

    refund = decide(waiting)

    assert (refund.status, refund.failure_code) == (RefundStatus.CANCELLED, "approval_refused")
    assert refund.failure_message == "The goods were delivered"
    assert refund.attempt.refund_pending_minor == 0
    assert told(refund.id) == ["refund_requested", "refund_cancelled"]
    assert made.requested(refund.attempt, actor=approvals.maker()).id != refund.id


def test_is_cancelled_once_nobody_decided_in_time(waiting):
    requests.expire(request_id=waiting.approval_id, now=NOW + timedelta(hours=73))

    refund = decide(waiting)

    assert (refund.status, refund.failure_code) == (RefundStatus.CANCELLED, "approval_expired")


def test_is_cancelled_where_something_else_was_approved(waiting):
    request = request_of(waiting)
    requests.approve(
        request_id=request.id, payload_hash=request.payload_hash, actor=approvals.person(), now=LATER
    )

    refund = decide(waiting, payload_hash="0" * 64)

    assert (refund.status, refund.failure_code) == (RefundStatus.CANCELLED, "approval_void")


def test_a_decision_about_another_request_changes_nothing(waiting):
    approve(waiting)
    other = made.requested(made.paid(money=KES_20000), actor=approvals.maker())
    said = replace(decided(waiting), subject_id=other.id)

    refunds.decide(decided=said, now=LATER)

    assert made.reloaded(other).status == RefundStatus.AWAITING_APPROVAL


def test_the_event_does_it_and_decisions_about_other_deeds_are_left_alone(waiting):
    request = request_of(waiting)
    requests.approve(
        request_id=request.id, payload_hash=request.payload_hash, actor=approvals.person(), now=LATER
    )
    event = OutboxEvent.objects.get(type="approval_decided")

    told_of = event.as_event()
    other = {**event.data, "object": {**event.data["object"], "kind": "payout"}}
    subscribers.execute_approval(replace(told_of, data=other))
    assert made.reloaded(waiting).status == RefundStatus.AWAITING_APPROVAL

    subscribers.execute_approval(told_of)

    assert made.reloaded(waiting).status == RefundStatus.REQUESTED


def test_a_refused_create_leaves_no_request(acme):
    approvals.rule()
    attempt = made.paid(money=KES_20000)

    with pytest.raises(refund_limits.PartialRefundNotSupported):
        made.requested(attempt, money=Money(1_00, "KES"), actor=approvals.maker())

    assert not ApprovalRequest.objects.exists()
    assert not Refund.objects.exists()


def test_late_money_of_an_earlier_refund_takes_the_request_back(acme):
    approvals.rule()
    attempt = made.paid(money=KES_20000)
    first = _failed(attempt)
    second = made.requested(attempt, actor=approvals.maker())

    refunds.record(refund_id=first.id, report=made.given_back(first), actor=PROVIDER, now=LATER)

    assert request_of(second).status == ApprovalStatus.WITHDRAWN
    assert decide(second).status == RefundStatus.CANCELLED
    assert made.reloaded(second).attempt.refunded_minor == KES_20000.minor


def test_late_money_comes_before_what_was_approved_and_not_yet_sent(acme):
    approvals.rule()
    attempt = made.paid(money=KES_20000)
    first = _failed(attempt)
    second = made.requested(attempt, actor=approvals.maker())
    approve(second)

    refunds.record(refund_id=first.id, report=made.given_back(first), actor=PROVIDER, now=LATER)

    assert request_of(second).status == ApprovalStatus.APPROVED
    assert made.reloaded(second).status == RefundStatus.CANCELLED


def _failed(attempt):
    """Return an approved refund that the provider declined."""
    refund = made.requested(attempt, actor=approvals.maker())
    approve(refund)
    sendings.begin(refund_id=refund.id, now=LATER)
    sendings.accept(refund_id=refund.id, ticket=made.ticket(), now=LATER)
    refunds.record(refund_id=refund.id, report=made.declined(refund, ticket=""), actor=PROVIDER, now=LATER)
    return made.reloaded(refund)
