"""What leaves an account: a circuit that opens by failures or by hand, a rate, and the count of calls by the minute."""

from datetime import timedelta

import pytest

from apps.audit.models import AuditRecord
from apps.integrations.contracts import CallStatus
from apps.integrations.models import ProviderCall
from apps.integrations.mpesa import client as daraja_client
from apps.integrations.ports import ProviderHeldBack, ProviderUncertain
from apps.integrations.selectors import circuits as standing
from apps.integrations.selectors import traffic
from apps.integrations.services import gates, providers
from apps.kit import rate_limits
from apps.kit.actors import SYSTEM
from apps.kit.circuits import Position
from tests.factories.integrations import NOW, provider_account
from tests.integrations import daraja
from tests.integrations.daraja import answer, refused, said

PUSH = "/mpesa/stkpush/v1/processrequest"


def position(account, kind):
    return next(fact.position for fact in standing.of(account) if fact.kind == kind)


@pytest.mark.django_db(transaction=True)
def test_after_five_failures_nothing_leaves_until_one_call_succeeds(simulator, account):
    simulator.script("html_error", path=PUSH, times=5)
    push = lambda after: providers.collection(account.id, now=NOW + timedelta(seconds=after)).request(  # noqa: E731
        daraja.order()
    )
    for _ in range(5):
        with pytest.raises(ProviderUncertain):
            push(0)
    left = len(simulator.calls())

    with pytest.raises(ProviderHeldBack) as refusal:
        push(29)

    assert (refusal.value.code, refusal.value.pause, len(simulator.calls())) == (
        "held_back",
        timedelta(seconds=30),
        left,
    )
    assert position(account, "stk_push") is Position.OPEN
    assert position(account, "stk_query") is Position.CLOSED
    assert push(100).value
    assert position(account, "stk_push") is Position.CLOSED
    assert ProviderCall.objects.filter(kind="stk_push").count() == 6


@pytest.mark.parametrize(
    ("came", "is_well"),
    [
        (answer("stk_accepted.json"), True),
        (answer("stk_query_processing.json", 500), True),
        (refused("500.003.02", "System is busy"), True),
        (refused("400.002.02", "Bad Request", 400), True),
        (said(b"", 400), True),
        (refused("500.003.1001", "Internal Server Error"), False),
        (said(b"<html></html>", 503), False),
        (said(b"", 200), False),
    ],
)
def test_a_refusal_shows_that_daraja_works_and_an_outage_that_it_does_not(came, is_well):
    assert daraja_client.is_well(came) is is_well


def test_a_person_stops_calls_of_a_kind_and_lets_them_through(acme):
    account = provider_account()
    gate = gates.Gate(account.id, 100, daraja_client.is_well, NOW)
    deed = {"account_id": account.id, "kind": "reversal", "actor": SYSTEM, "now": NOW, "reason": "Wrong sums"}

    gates.open_circuit(**deed)

    with pytest.raises(ProviderHeldBack):
        gate.admit("reversal")
    gate.admit("stk_push")
    gates.close_circuit(**deed)
    gate.admit("reversal")
    told = AuditRecord.objects.filter(action__contains="circuit").order_by("id")
    assert [(record.action, record.changes, record.reason) for record in told] == [
        (f"provider_account.{deed}_circuit", {"kind": [None, "reversal"]}, "Wrong sums")
        for deed in ("open", "close")
    ]
    with pytest.raises(gates.CallKindUnknown):
        gates.open_circuit(**{**deed, "kind": "nonsense"})
    assert AuditRecord.objects.filter(action__contains="circuit").count() == 2


def test_more_calls_of_a_kind_than_the_account_may_make_do_not_leave(acme):
    account = provider_account(calls_per_second=2)
    gate = gates.Gate(account.id, account.calls_per_second, daraja_client.is_well, NOW)
    later = gates.Gate(
        account.id, account.calls_per_second, daraja_client.is_well, NOW + timedelta(seconds=1)
    )

    gate.admit("stk_push")
    gate.admit("stk_push")

    with pytest.raises(ProviderHeldBack) as refusal:
        gate.admit("stk_push")
    assert (refusal.value.code, refusal.value.pause) == ("held_back", timedelta(seconds=1))
    gate.admit("stk_query")
    later.admit("stk_push")
    rate_limits.forget()


def test_calls_are_counted_by_minute_and_kind(acme):
    account = provider_account()
    called = [
        (0, "stk_push", CallStatus.ANSWERED, 200, 100),
        (10, "stk_push", CallStatus.ANSWERED, 503, 300),
        (20, "stk_push", CallStatus.NO_ANSWER, None, 30_000),
        (30, "stk_query", CallStatus.NOT_SENT, None, 5),
        (70, "stk_push", CallStatus.ANSWERED, 200, 200),
        (-3 * 86_400, "stk_push", CallStatus.ANSWERED, 200, 200),
    ]
    for second, kind, status, code, elapsed in called:
        ProviderCall.objects.create(
            account=account,
            kind=kind,
            method="POST",
            url="https://sandbox.safaricom.co.ke",
            request_headers={},
            status=status,
            response_status=code,
            elapsed_ms=elapsed,
            called_at=NOW + timedelta(seconds=second),
        )

    found = traffic.of(account, now=NOW + timedelta(minutes=2))

    told = [(row.minute - NOW, row.kind, row.calls, row.not_sent, row.no_answer, row.failed) for row in found]
    assert told == [
        (timedelta(0), "stk_push", 3, 0, 1, 1),
        (timedelta(0), "stk_query", 1, 1, 0, 0),
        (timedelta(minutes=1), "stk_push", 1, 0, 0, 0),
    ]
    assert (found[0].mean_ms, found[0].longest_ms) == (10_133, 30_000)
    health = traffic.health(account, now=NOW + timedelta(minutes=2))
    assert [(row.kind, row.calls, row.answered, row.percent) for row in health] == [
        ("stk_push", 4, 2, "50.0 %"),
        ("stk_query", 1, 0, "0.0 %"),
    ]
    assert health[0].p95_ms == 25_545
    hours = traffic.hours(account, now=NOW + timedelta(minutes=2))
    assert len(hours) == 48
    assert [(hour.calls, hour.bad, hour.tone) for hour in hours[-2:]] == [(0, 0, "quiet"), (5, 3, "failed")]
