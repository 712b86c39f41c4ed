"""Settle intent."""

from datetime import timedelta

import pytest

from apps.events.models import OutboxEvent
from apps.integrations.ports import ProviderUnavailable
from apps.kit.actors import PROVIDER, SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.ledger.models import Transaction
from apps.ledger.services import accounts, journals
from apps.ledger.services.refusals import AccountClosed
from apps.payments import postings
from apps.payments.contracts import AttemptStatus, IntentStatus
from apps.payments.models import PaymentAttempt
from apps.payments.services import attempts, intents
from tests.factories import ledger, payments
from tests.payments.conftest import balance, bookings, books, told

NOW = payments.NOW + timedelta(seconds=20)
PAID_BOOKS = {"PROVIDER_BALANCE": "1492.50", "PROVIDER_FEES": "7.50", "UNAPPLIED_COLLECTIONS": "1500.00"}


@pytest.fixture
def attempt(acme):
    return payments.waiting(reference="ORD-1")


def settle(attempt, **facts):
    report = payments.collected(attempt, **facts)
    return intents.settle(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)


def test_books_the_sum_and_announces_it(attempt):
    settle(attempt, receipt="NLJ7RT61SV")

    intent = payments.reload(attempt.intent_id)
    assert (intent.status, intent.settled_at, intent.is_late) == (IntentStatus.SUCCEEDED, NOW, False)
    assert intent.current_attempt.status == AttemptStatus.SUCCEEDED
    assert intent.current_attempt.received == payments.KES_1500
    assert intent.current_attempt.fee == Money(7_50, "KES")
    assert intent.current_attempt.provider_receipt == "NLJ7RT61SV"
    assert intent.current_attempt.next_query_at is None
    assert books() == PAID_BOOKS
    assert told(intent.id) == [
        "payment_intent_created",
        "payment_initiated",
        "payment_captured",
        "payment_success",
    ]


def test_names_the_source_and_the_receipt_in_the_ledger(attempt):
    settle(attempt, receipt="NLJ7RT61SV")

    booked = Transaction.objects.get()
    assert booked.idem_key == f"collection:{attempt.id}"
    assert (booked.source_type, booked.source_id) == ("payment_intent", attempt.intent_id)
    assert booked.reference == "NLJ7RT61SV"


def test_carries_the_snapshot_after_the_booking(attempt):
    settle(attempt, receipt="NLJ7RT61SV")

    said = OutboxEvent.objects.get(type="payment_success").data["object"]
    assert said["status"] == "succeeded"
    assert said["received"] == {"amount": "1500.00", "currency": "KES"}
    assert said["fee"] == {"amount": "7.50", "currency": "KES"}
    assert said["provider_receipt"] == "NLJ7RT61SV"
    assert said["late"] is False


def test_repeated_report_changes_nothing(attempt):
    settle(attempt)
    settle(attempt)

    assert bookings() == 1
    assert told(attempt.intent_id).count("payment_success") == 1


@pytest.mark.parametrize("minor", [1000_00, 1500_01, 3000_00])
def test_wrong_sum_is_booked_to_suspense(attempt, minor):
    settle(attempt, money=Money(minor, "KES"))

    intent = payments.reload(attempt.intent_id)
    assert intent.status == IntentStatus.IN_REVIEW
    assert intent.current_attempt.status == AttemptStatus.MISMATCH
    assert balance(AccountRole.SUSPENSE) == Money(minor, "KES")
    assert balance(AccountRole.UNAPPLIED_COLLECTIONS).is_zero
    assert told(intent.id)[-1] == "payment_in_review"
    assert "payment_success" not in told(intent.id)


def test_wrong_currency_is_booked_to_suspense_in_that_currency(attempt):
    settle(attempt, money=Money(1500_00, "USD"))

    assert payments.reload(attempt.intent_id).status == IntentStatus.IN_REVIEW
    assert balance(AccountRole.SUSPENSE, "USD") == Money(1500_00, "USD")
    assert books() == {}


def test_names_the_wrong_sum_in_the_event(attempt):
    settle(attempt, money=Money(1000_00, "KES"), receipt="NLJ7RT61SV")

    said = OutboxEvent.objects.get(type="payment_in_review").data
    assert said["attempt"]["received"] == {"amount": "1000.00", "currency": "KES"}
    assert said["attempt"]["provider_receipt"] == "NLJ7RT61SV"
    assert said["object"]["status"] == "in_review"


def test_money_after_a_failure_is_a_late_success(attempt):
    intents.record(attempt_id=attempt.id, report=payments.declined(attempt), actor=PROVIDER, now=NOW)

    settle(attempt)

    intent = payments.reload(attempt.intent_id)
    assert (intent.status, intent.is_late) == (IntentStatus.SUCCEEDED, True)
    assert books() == PAID_BOOKS
    assert told(intent.id)[-3:] == ["payment_failed", "payment_captured", "payment_success"]
    assert OutboxEvent.objects.get(type="payment_success").data["object"]["late"] is True


@pytest.mark.parametrize("shut", [accounts.close, accounts.freeze])
def test_money_for_an_account_that_takes_nothing_goes_to_suspense_once(attempt, shut):
    unapplied = ledger.ref(AccountRole.UNAPPLIED_COLLECTIONS, attempt.branch_id)
    accounts.ensure(ref=unapplied, now=NOW)
    shut(ref=unapplied, reason="Another one is used", actor=SYSTEM, now=NOW)

    settle(attempt)
    settle(attempt)

    booked = payments.reloaded(attempt)
    assert (booked.status, booked.is_in_suspense) == (AttemptStatus.SUCCEEDED, True)
    assert books() == {"PROVIDER_BALANCE": "1492.50", "PROVIDER_FEES": "7.50", "SUSPENSE": "1500.00"}
    assert bookings() == 1
    assert told(attempt.intent_id)[-2:] == ["payment_success", "payment_in_review"]


def test_nothing_is_kept_where_no_account_takes_the_money(attempt):
    for role in (AccountRole.UNAPPLIED_COLLECTIONS, AccountRole.SUSPENSE):
        ref = ledger.ref(role, attempt.branch_id)
        accounts.ensure(ref=ref, now=NOW)
        accounts.close(ref=ref, reason="Another one is used", actor=SYSTEM, now=NOW)

    with pytest.raises(AccountClosed):
        settle(attempt)

    assert not payments.reloaded(attempt).is_in_suspense
    assert payments.reload(attempt.intent_id).settled_at is None
    assert bookings() == 0


def test_money_of_a_second_attempt_goes_to_suspense_and_leaves_the_success(acme):
    first = payments.sending()
    attempts.withdraw(attempt_id=first.id, refusal=ProviderUnavailable("network_unreachable"), now=NOW)
    second = attempts.begin(intent_id=first.intent_id, now=NOW + timedelta(minutes=1))
    settle(second)

    settle(first)

    intent = payments.reload(first.intent_id)
    assert (intent.status, intent.current_attempt_id) == (IntentStatus.SUCCEEDED, second.id)
    surplus = payments.reloaded(first)
    assert (surplus.status, surplus.is_in_suspense) == (AttemptStatus.SUCCEEDED, True)
    assert balance(AccountRole.SUSPENSE) == balance(AccountRole.UNAPPLIED_COLLECTIONS) == payments.KES_1500
    assert told(intent.id).count("payment_success") == 1
    assert told(intent.id)[-1] == "payment_in_review"


def test_a_sum_that_nobody_told_is_that_of_the_intent(attempt):
    settle(attempt, money=None, receipt="")

    found = payments.reloaded(attempt)
    assert (found.received, found.is_amount_reported, found.provider_receipt) == (
        payments.KES_1500,
        False,
        "",
    )
    assert books() == PAID_BOOKS


def test_an_account_without_a_fee_is_booked_gross(acme):
    payments.account(fee_bps=0)

    settle(payments.waiting())

    assert books() == {"PROVIDER_BALANCE": "1500.00", "UNAPPLIED_COLLECTIONS": "1500.00"}


def test_nothing_is_kept_when_the_ledger_refuses(attempt):
    taken = postings.collection(_booked_copy(attempt))
    journals.post(draft=taken, actor=PROVIDER, now=NOW)
    before = (bookings(), told(attempt.intent_id))

    with pytest.raises(journals.KeyReused):
        settle(attempt, money=Money(1000_00, "KES"))

    found = payments.reloaded(attempt)
    assert (found.status, found.booked_at) == (AttemptStatus.ACTION_REQUIRED, None)
    assert payments.reload(attempt.intent_id).status == IntentStatus.ACTION_REQUIRED
    assert (bookings(), told(attempt.intent_id)) == before


def _booked_copy(attempt):
    """Return what the attempt would be after a booking, without writing it."""
    copy = PaymentAttempt.objects.select_related("provider_account").get(id=attempt.id)
    copy.book(
        report=payments.collected(copy, receipt="NLJ0000000"),
        fee=copy.provider_account.fee(copy.money),
        is_put_aside=False,
        at=NOW,
    )
    return copy
