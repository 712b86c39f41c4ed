"""
What holds of a refund on every rail, whatever the provider does: each fault, then every callback and every question.

A rail is a simulator with an account, ``script``, ``tick``, ``deliver`` and ``statement``; a new adapter adds its own
beside it and passes the same cases. After each: the request left once unless the provider said clearly that it did
not take it, money went back at most once, what is booked is what the statement shows, and what nobody knows waits in
the evidence queue.
"""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from apps.integrations.models import ProviderCall
from apps.ledger.services import verification
from apps.payments.contracts import Choice, Method, RefundStatus
from apps.payments.models import Refund
from apps.payments.services import intents, refunds
from tests.factories import payments
from tests.factories import refunds as made
from tests.payments.conftest import books

REVERSAL = "/mpesa/reversal/v1/request"
SUCCEEDED, FAILED, UNKNOWN = RefundStatus.SUCCEEDED, RefundStatus.FAILED, RefundStatus.UNKNOWN


@dataclass(frozen=True)
class Case:
    """One fault: what the provider does with the request, and the state that the refund must end in."""

    name: str
    actions: tuple[Any, ...]
    ends: RefundStatus
    sent: int = 1


CASES = [
    Case("success", (), SUCCEEDED),
    Case("delay", ({"action": "delay", "ms": 1500},), SUCCEEDED),
    Case("reset, processed", ({"action": "reset", "processed": True},), SUCCEEDED),
    Case("reset, not processed", ({"action": "reset"},), UNKNOWN),
    Case("500, processed", ({"action": "status", "status": 500, "processed": True},), SUCCEEDED),
    Case("500, not processed", ({"action": "status", "status": 500},), UNKNOWN),
    Case("malformed, processed", ({"action": "malformed_json", "processed": True},), SUCCEEDED),
    Case("html, not processed", ({"action": "html_error"},), UNKNOWN),
    Case("empty, processed", ({"action": "empty_body", "processed": True},), SUCCEEDED),
    Case("rate limit", ({"action": "rate_limit", "code": "500.003.02"},), SUCCEEDED, sent=2),
    Case("rate limit, processed", ({"action": "rate_limit", "code": "429", "processed": True},), SUCCEEDED),
    Case("expired token", ("expire_token",), SUCCEEDED, sent=2),
    Case("dropped callback", ("drop_callback",), SUCCEEDED),
    Case("duplicated callback", ({"action": "duplicate_callback", "n": 3},), SUCCEEDED),
    Case("delayed callback", ({"action": "delay_callback", "ms": 20_000},), SUCCEEDED),
    Case("callback before response", ("callback_before_response",), SUCCEEDED),
    Case("replayed old callback", ({"action": "replay_old", "n": 1},), SUCCEEDED),
    Case("parameters missing", ("partial_result",), SUCCEEDED),
    Case("another sum told", ({"action": "wrong_amount_callback_only", "amount": 1},), SUCCEEDED),
    Case("queue time-out, not processed", ({"action": "queue_timeout", "ms": 5000},), FAILED),
    Case(
        "queue time-out, processed", ({"action": "queue_timeout", "ms": 5000, "processed": True},), SUCCEEDED
    ),
    Case(
        "late success",
        ({"action": "result", "code": "11"}, {"action": "late_success", "ms": 9000}),
        SUCCEEDED,
    ),
    Case("balance too low", ({"action": "result", "code": "1"},), FAILED),
    Case("initiator refused", ({"action": "result", "code": "2001"},), FAILED),
    Case("receipt refused", ({"action": "result", "code": "R000002"},), FAILED),
    Case("reversed by somebody else", ({"action": "result", "code": "R000001"},), FAILED),
    Case("a code that nobody knows", ({"action": "result", "code": "XYZ_9"},), FAILED),
]


@pytest.mark.simulator_only
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_whatever_happens_money_goes_back_once_and_is_booked(rail, case):
    refund = made.requested(_paid(rail))
    if case.actions:
        rail.script(*case.actions, path=REVERSAL)

    refund = _played(rail, refund)

    assert refund.status == case.ends
    assert ProviderCall.objects.filter(kind="reversal").count() == case.sent
    given = [row for row in rail.statement()["rows"] if row["kind"] == "reversal"]
    assert len(given) == (1 if case.ends == SUCCEEDED else 0)
    assert books()["PROVIDER_BALANCE"] == rail.statement()["closing_balance"]
    assert Refund.objects.filter(status=UNKNOWN).count() == (1 if case.ends == UNKNOWN else 0)
    assert verification.verify().findings == ()


def _paid(rail: Any) -> Any:
    """Return the attempt of a paid payment; a second one leaves enough in the account."""
    first = None
    for _ in range(2):
        intent = payments.intent(choice=Choice(Method.MPESA, "254700000000"))
        first = first or intent
        intents.request(intent_id=intent.id, now=payments.NOW)
        rail.tick(3)
        rail.deliver()
    return payments.reload(first.id).current_attempt


def _played(rail: Any, refund: Refund) -> Refund:
    """Send, let time pass, take every callback, and ask as the plan says until the refund has ended."""
    at = made.NOW
    for _ in range(14):
        refund = made.reloaded(refund)
        if refund.next_request_at is not None:
            at = max(at, refund.next_request_at)
            refunds.request(refund_id=refund.id, now=at)
        elif refund.next_query_at is not None:
            at = max(at, refund.next_query_at)
            refunds.query(refund_id=refund.id, now=at)
        rail.tick(12)
        _take_what_came(rail)
        at += timedelta(seconds=12)
    return made.reloaded(refund)


def _take_what_came(rail: Any) -> None:
    """Deliver every callback that has come, once the simulator owes none that is due."""
    until = time.monotonic() + 5
    while _owes(rail.control("GET", "/state").json()):
        assert time.monotonic() < until, "callbacks that were due did not come"
        time.sleep(0.02)
    rail.deliver(len(rail.arrived) - rail.delivered)


def _owes(state: dict[str, Any]) -> bool:
    due = state["next_callback_at"]
    return bool(state["callbacks"].get("sending")) or (due is not None and due <= state["now"])
