"""Money comes back: what a refund had taken stands in books and rows alike, whatever was said of it first."""

import pytest

from apps.access.models import Branch
from apps.kit.actors import PROVIDER, SYSTEM
from apps.ledger.contracts import AccountRole
from apps.ledger.selectors import accounts
from apps.payments.contracts import Choice, InboundStatus, IntentStatus, LateMoney, Method, Recorded
from apps.payments.models import InboundReceipt, PaymentAttempt
from apps.payments.services import intents, refunds, resolutions, reviews, sendings
from apps.payments.services.reports import MoneyUnexplained
from tests.factories import access, payments
from tests.factories import refunds as made
from tests.payments import cards
from tests.payments.conftest import bookings, books, told
from tests.payments.test_inbound_receipts import RECEIPT
from tests.payments.test_late_money import choose, closed, collect
from tests.payments.test_losses import lost, swept
from tests.payments.test_two_connections import at_once

NOW = made.NOW
WHY = "Agreed with the payer."
CARD = Choice(Method.CARD, payer_name="Amina Otieno", email="amina@example.com")


def late():
    """Return an attempt in review of a branch whose cards are taken at head office: a refund of it may come back."""
    access.portal()
    cards.account(currency="KES")
    choose(late_money=LateMoney.SUSPENSE)
    attempt = closed(choice=CARD, branch_id=access.branch().id)
    intents.cancel(intent_id=attempt.intent_id, actor=SYSTEM, now=NOW)
    return collect(attempt, receipt=RECEIPT)


def sent(attempt):
    refund = refunds.give_back(attempt_id=attempt.id, reason=WHY, actor=SYSTEM, now=NOW)
    return sendings.begin(refund_id=refund.id, now=NOW)


def goes(refund):
    report = made.given_back(refund, receipt=f"re_{refund.number}")
    return refunds.record(refund_id=refund.id, report=report, actor=PROVIDER, now=NOW)


def fails(refund):
    """Say that it was refused, or once it has gone that its money is here again."""
    return refunds.record(refund_id=refund.id, report=made.declined(refund), actor=PROVIDER, now=NOW)


def close(attempt):
    return reviews.close(intent_id=attempt.intent_id, reason=WHY, actor=SYSTEM, now=NOW)


def assign(inbound, intent):
    return resolutions.assign(inbound_id=inbound.id, intent_id=intent.id, reason=WHY, actor=SYSTEM, now=NOW)


def in_books():
    """Return what each branch has in suspense by the ledger."""
    lines = accounts.with_balances(currency="KES")
    held = [line for line in lines if line.role == AccountRole.SUSPENSE and not line.balance.is_zero]
    return {Branch.objects.get(id=line.branch_id).code: line.balance.text for line in held}


def in_rows():
    """Return what each branch has in suspense by its receipts and payments."""
    rows = [*InboundReceipt.objects.waiting(), *PaymentAttempt.objects.in_suspense()]
    return {one.branch.code: (getattr(one, "received", None) or one.money).text for one in rows}


def gone_after_its_review():
    """Return an attempt and its refund, which had failed, and went after all once the payment's review was closed."""
    attempt = late()
    refund = sent(attempt)
    fails(refund)
    close(attempt)
    goes(refund)
    assert in_books() == in_rows() == {}
    return attempt, refund


def test_a_refund_that_went_after_a_closed_review_and_comes_back_lets_its_money_wait_under_its_receipt(acme):
    attempt, refund = gone_after_its_review()

    for recorded in (Recorded.APPLIED, Recorded.DUPLICATE):
        assert fails(refund) == recorded

    inbound = InboundReceipt.objects.get()
    assert (inbound.status, inbound.intent_id) == (InboundStatus.SUSPENSE, attempt.intent_id)
    assert in_books() == in_rows() == {inbound.branch.code: "1500.00"}
    assert told(inbound.id)[-1] == "money_unmatched"
    assert goes(refund) == Recorded.IGNORED
    other = payments.intent(choice=CARD)
    assign(inbound, other)
    assert payments.reload(other.id).status == IntentStatus.SUCCEEDED
    assert in_books() == in_rows() == {}
    assert books()["UNAPPLIED_COLLECTIONS"] == "1500.00"


def test_another_refund_that_goes_after_all_then_takes_it_from_there(acme):
    attempt = late()
    first = sent(attempt)
    fails(first)
    second = sent(attempt)
    fails(second)
    close(attempt)
    for refund in (first, second):
        assert goes(refund) == Recorded.APPLIED
        assert in_books() == in_rows() == {}
        assert fails(refund) == Recorded.APPLIED
        assert in_books() == in_rows() == {InboundReceipt.objects.get().branch.code: "1500.00"}

    assert InboundReceipt.objects.get().status == InboundStatus.SUSPENSE
    assert payments.reload(attempt.intent_id).status == IntentStatus.FAILED


def test_what_is_given_on_then_goes_back_no_more(acme):
    attempt = late()
    first = sent(attempt)
    fails(first)
    second = sent(attempt)
    fails(second)
    close(attempt)
    goes(first)
    fails(first)
    assign(InboundReceipt.objects.get(), payments.intent(choice=CARD))
    before = books()

    with pytest.raises(MoneyUnexplained):
        goes(second)

    assert books() == before


def test_what_had_gone_before_its_review_was_closed_and_comes_back_waits_under_its_receipt(acme):
    attempt = late()
    refund = sent(attempt)
    goes(refund)
    close(attempt)
    assert not InboundReceipt.objects.exists()

    fails(refund)

    inbound = InboundReceipt.objects.get()
    assert inbound.status == InboundStatus.SUSPENSE
    assert in_books() == in_rows() == {inbound.branch.code: "1500.00"}
    assert told(attempt.intent_id)[-1] == "payment_failed"
    assert assign(inbound, payments.intent(choice=CARD)).status == InboundStatus.ASSIGNED


def test_what_comes_back_while_its_review_is_open_stays_with_its_payment(acme):
    attempt = late()
    refund = sent(attempt)
    goes(refund)

    fails(refund)

    assert not InboundReceipt.objects.exists()
    assert in_books() == in_rows() == {attempt.branch.code: "1500.00"}
    assert told(attempt.intent_id)[-1] == "payment_in_review"
    close(attempt)
    assert in_books() == in_rows() == {InboundReceipt.objects.get().branch.code: "1500.00"}


def test_a_dispute_that_was_lost_meanwhile_takes_what_comes_back_from_where_it_waits(acme):
    attempt, refund = gone_after_its_review()
    lost(attempt)

    fails(refund)

    inbound = InboundReceipt.objects.get()
    assert in_books() == in_rows() == {inbound.branch.code: "1500.00"}
    assert swept() == 1
    inbound.refresh_from_db()
    assert inbound.status == InboundStatus.TAKEN_BACK
    assert in_books() == in_rows() == {}


def test_it_comes_back_once_though_it_is_told_twice_at_once(committed_acme):
    _, refund = gone_after_its_review()

    at_once(*[lambda: fails(refund)] * 3)

    assert in_books() == in_rows() == {InboundReceipt.objects.get().branch.code: "1500.00"}
    assert bookings() == 6


def test_nothing_is_kept_where_it_cannot_be_booked(acme, monkeypatch):
    def broken(**_):
        raise RuntimeError("the database went away")

    attempt, refund = gone_after_its_review()
    before = books()
    monkeypatch.setattr("apps.ledger.services.reversals.reverse", broken)

    with pytest.raises(RuntimeError):
        fails(refund)

    assert (InboundReceipt.objects.get().status, books()) == (InboundStatus.GIVING_BACK, before)
    assert payments.reloaded(attempt).refunded == attempt.received


def test_money_that_nobody_asked_for_waits_again_though_what_carried_it_was_closed(acme):
    access.portal()
    account = cards.account(currency="KES")
    inbound = payments.held(payer="")
    refund = resolutions.give_back(inbound_id=inbound.id, reason=WHY, actor=SYSTEM, now=NOW)
    refund = sendings.begin(refund_id=refund.id, now=NOW)
    fails(refund)
    close(payments.reloaded(refund.attempt))
    assert in_books() == {account.branch.code: "1500.00"}

    goes(refund)
    assert in_books() == in_rows() == {}
    fails(refund)

    assert in_books() == in_rows() == {account.branch.code: "1500.00"}
    again = resolutions.give_back(inbound_id=inbound.id, reason=WHY, actor=SYSTEM, now=NOW)
    assert again.attempt_id != refund.attempt_id
