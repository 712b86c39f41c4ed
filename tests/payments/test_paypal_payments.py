"""Payments by PayPal, from its page to the books, against the simulator's PayPal over real HTTP."""

from decimal import Decimal

import pytest

from apps.integrations.models import ProviderCall
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.payments.contracts import AttemptStatus, Choice, IntentStatus, Method, RefundStatus
from apps.payments.models import Refund
from apps.payments.services import captures, choices, intents, refunds
from tests.factories import fx, payments
from tests.payments.conftest import balance, is_untouched, told
from tests.payments.wallets import USD_25, WALLET

APPROVED, COMPLETED = "CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED"


def carry_out(intent, wallets):
    intents.carry_out(attempt_id=intent.current_attempt_id, now=wallets.now)
    return payments.reload(intent.id)


def paid(wallets, **facts):
    """Return the attempt of a payment that was agreed to, taken and is booked."""
    intent = wallets.ask(**facts)
    wallets.pay(intent)
    wallets.query(intent)
    return carry_out(intent, wallets).current_attempt


def calls(kind):
    return ProviderCall.objects.filter(kind=kind).count()


def test_an_approved_order_is_taken_by_our_own_order_and_booked_once(wallets):
    intent = wallets.ask()
    assert (intent.status, intent.current_attempt.next_action) == (IntentStatus.ACTION_REQUIRED, "REDIRECT")
    wallets.pay(intent)
    [approved] = wallets.messages(APPROVED)

    assert wallets.deliver(approved) == "APPLIED"
    attempt = wallets.query(intent)
    wallets.query(intent)
    assert (attempt.status, attempt.capture_minor, calls("capture")) == (AttemptStatus.AUTHORIZED, 25_00, 0)
    assert is_untouched()
    assert wallets.statement()["rows"] == []
    carry_out(intent, wallets)
    intent = carry_out(intent, wallets)

    attempt = intent.current_attempt
    assert (intent.status, attempt.received, attempt.fee) == (
        IntentStatus.SUCCEEDED,
        USD_25,
        Money(1_36, "USD"),
    )
    assert (attempt.is_fee_reported, attempt.next_query_at, calls("capture")) == (True, None, 1)
    assert attempt.provider_receipt == wallets.objects("captures")[0]["id"]
    assert balance(AccountRole.PROVIDER_BALANCE, "USD") == Money(23_64, "USD")
    assert balance(AccountRole.PROVIDER_FEES, "USD") == Money(1_36, "USD")
    assert wallets.statement()["closing_balance"] == "23.64"
    assert told(intent.id)[-2:] == ["payment_captured", "payment_success"]
    assert wallets.deliver(wallets.messages(COMPLETED)[0]) == "DUPLICATE"


def test_a_capture_whose_answer_is_lost_is_ordered_again_under_its_number(wallets):
    intent = wallets.ask()
    wallets.pay(intent)
    wallets.query(intent)
    wallets.script({"action": "reset", "processed": True}, path="/v2/checkout/orders/*/capture")

    intent = carry_out(intent, wallets)
    assert (intent.status, is_untouched()) == (IntentStatus.REQUIRES_CAPTURE, True)
    wallets.work()

    intent = payments.reload(intent.id)
    assert (intent.status, intent.current_attempt.received) == (IntentStatus.SUCCEEDED, USD_25)
    assert len(wallets.objects("captures")) == 1


def test_a_wallet_that_is_refused_lets_the_payer_choose_again(wallets):
    intent = wallets.ask()
    wallets.pay(intent, "empty")
    wallets.query(intent)

    intent = carry_out(intent, wallets)

    assert (intent.status, intent.failure_code) == (IntentStatus.REQUIRES_CONFIRMATION, "declined")
    assert intent.current_attempt.provider_code == "INSTRUMENT_DECLINED"
    assert is_untouched()


def test_a_sum_that_is_held_back_is_taken_in_part(wallets):
    intent = wallets.ask(is_captured=False)
    wallets.pay(intent)
    attempt = wallets.query(intent)
    assert (attempt.status, attempt.held, attempt.capture_minor) == (AttemptStatus.AUTHORIZED, USD_25, None)
    assert wallets.objects("authorizations")[0]["status"] == "CREATED"
    assert told(intent.id)[-1] == "payment_authorized"

    captures.capture(intent_id=intent.id, money=Money(10_00, "USD"), actor=SYSTEM, now=wallets.now)
    intent = carry_out(intent, wallets)

    assert (intent.status, intent.current_attempt.received) == (
        IntentStatus.SUCCEEDED,
        Money(10_00, "USD"),
    )
    assert balance(AccountRole.PROVIDER_BALANCE, "USD").text == wallets.statement()["closing_balance"]


@pytest.mark.parametrize("is_captured", [True, False])
def test_what_is_agreed_to_after_the_end_is_not_taken_and_not_held(wallets, is_captured):
    intent = wallets.ask(is_captured=is_captured)
    intents.cancel(intent_id=intent.id, actor=SYSTEM, now=wallets.now)
    intent = carry_out(intent, wallets)
    assert intent.status == IntentStatus.CANCELLED

    wallets.pay(intent)
    assert wallets.deliver(wallets.messages(APPROVED)[0]) == "APPLIED"
    wallets.query(intent)

    assert payments.reload(intent.id).status == IntentStatus.CANCELLED
    assert wallets.objects("captures") == []
    assert all(held["status"] == "VOIDED" for held in wallets.objects("authorizations"))
    assert len(wallets.objects("authorizations")) == (not is_captured)
    assert is_untouched()


def test_books_what_paypal_converted_at_its_rate(wallets, street):
    wallets.open(street.callback_url, currency="EUR", rates={"USD": "0.92"})
    fx.rate(as_of=wallets.now, now=wallets.now)

    attempt = paid(wallets)

    assert (attempt.received, attempt.settled.currency, attempt.rate) == (USD_25, "EUR", Decimal("0.92"))
    assert attempt.fee.currency == "EUR"
    assert balance(AccountRole.PROVIDER_BALANCE, "EUR").text == wallets.statement()["closing_balance"]
    assert balance(AccountRole.PROVIDER_FEES, "EUR") == attempt.fee
    assert balance(AccountRole.UNAPPLIED_COLLECTIONS, "USD") == USD_25


def test_gives_back_in_two_parts(wallets):
    attempt = paid(wallets)

    for minor in (10_00, 15_00):
        refund = refunds.create(
            intent_id=attempt.intent_id,
            money=Money(minor, "USD"),
            reason="Returned goods",
            actor=SYSTEM,
            now=wallets.now,
        )
        refunds.request(refund_id=refund.id, now=wallets.now)
        refunds.query(refund_id=refund.id, now=wallets.now)

    found = list(Refund.objects.order_by("number"))
    assert [(one.number, one.status, one.money.minor) for one in found] == [
        (1, RefundStatus.SUCCEEDED, 10_00),
        (2, RefundStatus.SUCCEEDED, 15_00),
    ]
    assert balance(AccountRole.UNAPPLIED_COLLECTIONS, "USD").is_zero
    assert balance(AccountRole.PROVIDER_BALANCE, "USD").text == wallets.statement()["closing_balance"]


def test_believes_nothing_of_a_message(wallets):
    intent = wallets.ask()
    wallets.pay(intent)
    [approved] = wallets.messages(APPROVED)
    attempt = payments.reload(intent.id).current_attempt
    signature = next(name for name in approved.headers if name.lower() == "paypal-transmission-sig")

    forged = wallets.deliver(approved, headers={signature: "Zm9yZ2Vk"})
    changed = wallets.deliver(approved, body=approved.body + b" ")

    assert (forged, changed) == ("FORGED", "FORGED")
    assert payments.reloaded(attempt).next_query_at == attempt.next_query_at
    assert is_untouched()


def test_shillings_are_refused_because_nothing_is_converted_unasked(wallets):
    with pytest.raises(choices.MethodNotAvailable) as refusal:
        intents.create(
            request=payments.wanted(money=payments.KES_1500, choice=WALLET), actor=SYSTEM, now=wallets.now
        )
    with pytest.raises(choices.MethodNotAvailable) as other:
        intents.create(
            request=payments.wanted(money=Money(25_00, "EUR"), choice=WALLET), actor=SYSTEM, now=wallets.now
        )

    assert "PayPal takes no KES, and nothing is converted unasked" in refusal.value.detail
    assert other.value.detail == "No account of this branch collects EUR by paypal."
    assert Choice(Method.PAYPAL).method.is_on_page
