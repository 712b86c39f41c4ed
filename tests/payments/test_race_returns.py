"""Race returns: money in suspense on its way back, late money, and silent halves, twice at once and failing half-way."""

import pytest

from apps.kit.actors import PROVIDER, SYSTEM
from apps.payments.contracts import InboundSource, InboundStatus, LateMoney, RefundStatus
from apps.payments.models import InboundReceipt, PaymentAttempt, Refund
from apps.payments.services import inbound_receipts, late_refunds, refunds, resolutions, sendings
from tests.factories import access, payments
from tests.factories import refunds as made
from tests.payments.conftest import books, is_untouched
from tests.payments.test_inbound_receipts import HELD, notice, stk
from tests.payments.test_late_money import choose, closed, collect
from tests.payments.test_two_connections import at_once

NOW = made.NOW
GONE = {"PROVIDER_BALANCE": "-7.50", "PROVIDER_FEES": "7.50"}


def going_back(**facts):
    """Return a refund, sent, that carries money in suspense back."""
    inbound = payments.held(**facts)
    refund = resolutions.give_back(inbound_id=inbound.id, reason="He called.", actor=SYSTEM, now=NOW)
    begun = sendings.begin(refund_id=refund.id, now=NOW)
    assert begun is not None
    return begun


def record(refund, report):
    return refunds.record(refund_id=refund.id, report=report, actor=PROVIDER, now=NOW)


def broken(**_):
    raise RuntimeError("the database went away")


def test_money_that_went_back_and_did_not_at_once_has_gone(committed_acme):
    refund = going_back()

    at_once(
        lambda: record(refund, made.declined(refund)),
        lambda: record(refund, made.given_back(refund, receipt="NLR0LATE01")),
    )

    assert Refund.objects.get().status == RefundStatus.SUCCEEDED
    assert InboundReceipt.objects.get().status == InboundStatus.GIVING_BACK
    assert books() == GONE


def test_a_refusal_that_is_told_twice_at_once_lets_the_money_wait_once(committed_acme):
    refund = going_back()

    at_once(*[lambda: record(refund, made.declined(refund))] * 3)

    assert InboundReceipt.objects.get().status == InboundStatus.SUSPENSE
    assert PaymentAttempt.objects.get().refund_pending_minor == 0
    assert books() == HELD


def test_late_money_is_asked_back_once_by_two_sweeps(committed_acme):
    choose(late_money=LateMoney.REFUND)
    attempt = collect(closed())

    at_once(*[lambda: late_refunds.give_back(attempt_id=attempt.id, now=NOW)] * 3)

    assert Refund.objects.count() == 1


def test_nothing_is_kept_of_what_fails_half_way(acme, monkeypatch):
    access.portal()
    refund = going_back(payer="2541 ***** 111")
    record(refund, made.declined(refund))
    account = refund.provider_account
    attempt = payments.waiting()
    waiting = payments.held()
    monkeypatch.setattr("apps.ledger.services.journals.post", broken)

    for deed in (
        lambda: record(refund, made.given_back(refund, receipt="NLR0LATE01")),
        lambda: stk(attempt, receipt="", money=None),
        lambda: inbound_receipts.record(
            account_id=account.id,
            notice=notice("HOUSE 7"),
            phone="",
            source=InboundSource.CONFIRMATION,
            actor=PROVIDER,
            now=NOW,
        ),
    ):
        with pytest.raises(RuntimeError):
            deed()

    assert {one.status for one in InboundReceipt.objects.all()} == {InboundStatus.SUSPENSE}
    assert InboundReceipt.objects.count() == 2
    assert payments.reloaded(attempt).is_live
    assert InboundReceipt.objects.get(id=waiting.id).attempt is None
    assert made.reloaded(refund).status == RefundStatus.FAILED
    assert not is_untouched()
