"""Disputes over the simulator's Stripe: recorded as told, booked once, whoever told of them and in whichever order."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from apps.events.models import OutboxEvent
from apps.integrations.ports import DisputeStage, ProviderDeclined
from apps.integrations.services import providers
from apps.kit import faults
from apps.kit.actors import PROVIDER, SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.ledger.models import Transaction
from apps.payments.contracts import DisputeFlag, DisputeStatus, Recorded
from apps.payments.models import Dispute, PaymentAttempt, PullCursor
from apps.payments.services import dispute_queries, disputes, refund_limits, refunds, sendings, sweeps
from tests.factories import access, payments
from tests.payments.conftest import balance
from tests.payments.test_two_connections import at_once

CREATED, WITHDRAWN = "charge.dispute.created", "charge.dispute.funds_withdrawn"
REINSTATED, CLOSED = "charge.dispute.funds_reinstated", "charge.dispute.closed"
DAY = timedelta(days=1)


@pytest.fixture
def disputed(cards):
    """Return the attempt of a payment of USD 25.00 whose payer has had his bank take it back, and the dispute's ticket."""
    attempt = cards.paid()
    return attempt, dispute(cards, attempt)


def dispute(cards, attempt, **facts):
    return cards.act("charges", attempt.provider_receipt, "dispute", **facts)["id"]


def told():
    events = OutboxEvent.objects.filter(aggregate_type="payment_dispute").order_by("aggregate_version")
    return [event.type.removeprefix("payment_dispute_") for event in events]


def books(currency="USD"):
    roles = {
        AccountRole.DISPUTED_PAYMENTS,
        AccountRole.DISPUTE_FEES,
        AccountRole.CHARGEBACK_LOSS,
        AccountRole.UNAPPLIED_COLLECTIONS,
    }
    return {role.name: balance(role, currency).text for role in roles if not balance(role, currency).is_zero}


def is_statement_met(cards):
    return balance(AccountRole.PROVIDER_BALANCE, "USD").text == cards.statement()["closing_balance"]


def read(cards, ticket, after=timedelta(minutes=1)):
    """Ask the provider as the job does that a message starts."""
    cards.now += after
    dispute_queries.read(account_id=cards.account.id, ticket=ticket, now=cards.now)
    return Dispute.objects.select_related("attempt").get(ticket=ticket)


def ask(cards, row):
    """Ask the provider as the sweep does, when it is due."""
    cards.now = max(cards.now, row.next_query_at)
    dispute_queries.query(dispute_id=row.id, now=cards.now)
    row.refresh_from_db()
    return row


def test_takes_the_money_and_is_won(cards, disputed):
    attempt, ticket = disputed
    [created] = cards.messages(CREATED)
    assert cards.deliver(created) == "APPLIED"

    row = read(cards, ticket)

    assert (row.status, row.reason_code, row.flag, row.is_inquiry) == (
        "NEEDS_RESPONSE",
        "fraudulent",
        "",
        False,
    )
    assert (row.intent_id, row.attempt.disputed_minor, row.attempt.refundable_minor) == (
        attempt.intent_id,
        25_00,
        0,
    )
    assert books() == {
        "DISPUTED_PAYMENTS": "25.00",
        "DISPUTE_FEES": "15.00",
        "UNAPPLIED_COLLECTIONS": "25.00",
    }
    assert is_statement_met(cards)
    with pytest.raises(refund_limits.PaymentDisputed):
        refunds.create(intent_id=attempt.intent_id, money=None, reason="Angry", actor=SYSTEM, now=cards.now)

    cards.act("disputes", ticket, "win")
    [closed] = cards.messages(CLOSED)
    assert [cards.deliver(closed), cards.deliver(closed), cards.deliver(created)] == [
        "APPLIED",
        "DUPLICATE",
        "DUPLICATE",
    ]
    row = ask(cards, row)
    ask(cards, row)

    assert (row.status, row.closed_at is None, row.held_minor) == ("WON", False, 0)
    assert books() == {"DISPUTE_FEES": "15.00", "UNAPPLIED_COLLECTIONS": "25.00"}
    assert told() == ["opened", "funds_withdrawn", "funds_reinstated", "won"]
    assert is_statement_met(cards)
    assert refunds.create(intent_id=attempt.intent_id, money=None, reason="Kind", actor=SYSTEM, now=cards.now)


def test_is_lost_and_won_on_appeal(cards, disputed):
    attempt, ticket = disputed
    read(cards, ticket)
    cards.act("disputes", ticket, "lose")
    row = read(cards, ticket)

    assert (row.status, row.lost, row.attempt.disputed_minor) == ("LOST", Money(25_00, "USD"), 25_00)
    assert books() == {"DISPUTE_FEES": "15.00", "CHARGEBACK_LOSS": "25.00", "UNAPPLIED_COLLECTIONS": "25.00"}
    with pytest.raises(refund_limits.AlreadyRefunded, match="dispute took"):
        refunds.create(intent_id=attempt.intent_id, money=None, reason="Angry", actor=SYSTEM, now=cards.now)

    lost = providers.dispute(cards.account.id, now=cards.now).read(ticket)
    won = _won(lost)
    cards.now += DAY
    for _ in range(2):
        disputes.record(
            account_id=cards.account.id, report=won, asked_at=cards.now, actor=PROVIDER, now=cards.now
        )

    assert Dispute.objects.get().status == DisputeStatus.WON
    assert books() == {"DISPUTE_FEES": "15.00", "UNAPPLIED_COLLECTIONS": "25.00"}
    assert told() == ["opened", "funds_withdrawn", "lost", "funds_reinstated", "won"]


def _won(report, **facts):
    return replace(
        report, **{"stage": DisputeStage.WON, "reinstated": report.withdrawn, "outcome": "won", **facts}
    )


def test_an_inquiry_moves_nothing_until_it_becomes_a_chargeback(cards):
    attempt = cards.paid()
    ticket = dispute(cards, attempt, reason="inquiry")

    row = read(cards, ticket)

    assert (row.status, row.is_inquiry, row.attempt.disputed_minor) == ("INQUIRY", True, 0)
    assert books() == {"UNAPPLIED_COLLECTIONS": "25.00"}
    part = refunds.create(
        intent_id=attempt.intent_id, money=Money(10_00, "USD"), reason="Kind", actor=SYSTEM, now=cards.now
    )
    refunds.request(refund_id=part.id, now=cards.now)
    refunds.query(refund_id=part.id, now=cards.now)

    cards.act("disputes", ticket, "escalate")
    row = read(cards, ticket)

    assert (row.status, row.is_inquiry, row.money.minor) == ("NEEDS_RESPONSE", False, 25_00)
    assert (row.held_minor, row.flag) == (15_00, DisputeFlag.EXCEEDS_PAYMENT)
    assert (row.attempt.refunded_minor, row.attempt.disputed_minor) == (10_00, 15_00)
    assert books()["DISPUTED_PAYMENTS"] == "25.00"
    assert told() == ["opened", "funds_withdrawn"]
    assert is_statement_met(cards)


def test_a_refund_that_waits_is_not_sent_beside_a_dispute(cards, disputed):
    attempt, ticket = disputed
    refund = refunds.create(
        intent_id=attempt.intent_id, money=Money(10_00, "USD"), reason="Kind", actor=SYSTEM, now=cards.now
    )
    row = read(cards, ticket)
    assert (row.held_minor, row.flag) == (15_00, DisputeFlag.EXCEEDS_PAYMENT)

    for _ in range(2):
        refunds.request(refund_id=refund.id, now=cards.now)

    refund.refresh_from_db()
    row.refresh_from_db()
    assert (refund.status, refund.failure_code, refund.sent_at) == ("FAILED", "payment_disputed", None)
    assert (row.held_minor, row.flag) == (25_00, "")
    assert (payments.reloaded(attempt).disputed_minor, cards.objects("refunds")) == (25_00, [])
    assert told() == ["opened", "funds_withdrawn", "updated"]


def test_a_lost_dispute_takes_what_a_refund_did_not_give_back(cards):
    attempt = cards.paid()
    refund = refunds.create(
        intent_id=attempt.intent_id, money=None, reason="Kind", actor=SYSTEM, now=cards.now
    )
    sendings.begin(refund_id=refund.id, now=cards.now)  # and its worker still waits for the answer
    ticket = dispute(cards, attempt)
    cards.act("disputes", ticket, "lose")
    row = read(cards, ticket)
    assert (row.status, row.held_minor, row.flag) == ("LOST", 0, DisputeFlag.EXCEEDS_PAYMENT)

    refusal = ProviderDeclined("declined", "The charge is disputed.")
    sendings.decline(refund_id=refund.id, refusal=refusal, now=cards.now)

    row.refresh_from_db()
    assert (row.held_minor, row.flag) == (25_00, "")
    with pytest.raises(refund_limits.AlreadyRefunded, match="dispute took"):
        refunds.create(intent_id=attempt.intent_id, money=None, reason="Again", actor=SYSTEM, now=cards.now)


def test_a_lost_message_loses_nothing_and_silence_loses_the_dispute(cards, disputed):
    _, ticket = disputed

    dispute_queries.read_list(account_id=cards.account.id, now=cards.now)
    dispute_queries.read_list(account_id=cards.account.id, now=cards.now + timedelta(minutes=1))

    row = Dispute.objects.get(ticket=ticket)
    assert row.owner is None
    assert row.next_reminder_at == row.due_by - 7 * DAY
    for before in (7 * DAY, 3 * DAY, DAY, timedelta(hours=12)):
        row.refresh_from_db()
        assert row.next_reminder_at == row.due_by - before
        for _ in range(2):
            sweeps.do(deed="remind", row_id=row.id, now=row.due_by - before)
    row.refresh_from_db()
    assert row.next_reminder_at is None
    assert told() == ["opened", "funds_withdrawn", *["due_soon"] * 4]

    cards.control("POST", "/tick", {"seconds": 10 * 24 * 3_600})
    cards.now = row.due_by + DAY
    row = ask(cards, row)

    assert (row.status, told()[-1]) == ("EXPIRED", "lost")
    assert books()["CHARGEBACK_LOSS"] == "25.00"
    assert is_statement_met(cards)


def test_one_of_an_unknown_payment_is_kept_and_flagged(cards, disputed):
    _, ticket = disputed
    access.portal()
    officer = access.member("treasury_officer")
    report = providers.dispute(cards.account.id, now=cards.now).read(ticket)
    stranger = _won(report, ticket="du_stranger", receipt="ch_stranger", stage=report.stage, reinstated=None)

    def record(now):
        return disputes.record(
            account_id=cards.account.id, report=stranger, asked_at=now, actor=PROVIDER, now=now
        )

    assert record(cards.now) == Recorded.IGNORED
    assert record(cards.now + timedelta(hours=1)) == Recorded.APPLIED

    row = Dispute.objects.get()
    assert (row.intent_id, row.flag, row.branch_id) == (
        None,
        DisputeFlag.UNKNOWN_PAYMENT,
        cards.account.branch_id,
    )
    assert (row.owner_id, row.application.slug) == (officer.id, "portal")
    assert books()["DISPUTED_PAYMENTS"] == "25.00"


def test_many_at_once_book_it_once(cards, disputed):
    _, ticket = disputed
    report = providers.dispute(cards.account.id, now=cards.now).read(ticket)

    def record():
        return disputes.record(
            account_id=cards.account.id, report=report, asked_at=cards.now, actor=PROVIDER, now=cards.now
        )

    assert sorted(at_once(*[record] * 4)) == [Recorded.APPLIED, *[Recorded.DUPLICATE] * 3]

    assert Transaction.objects.filter(source_type="payment_dispute").count() == 1
    assert told() == ["opened", "funds_withdrawn"]


def test_an_older_answer_changes_nothing(cards, disputed):
    _, ticket = disputed
    older = providers.dispute(cards.account.id, now=cards.now).read(ticket)
    asked_at = cards.now
    cards.act("disputes", ticket, "win")
    row = read(cards, ticket)

    recorded = disputes.record(
        account_id=cards.account.id, report=older, asked_at=asked_at, actor=PROVIDER, now=cards.now
    )

    assert recorded == Recorded.IGNORED
    row.refresh_from_db()
    assert (row.status, row.reinstated) == ("WON", Money(25_00, "USD"))


def test_one_that_is_told_with_less_money_is_flagged_once_and_asked_about_by_its_plan(cards, disputed):
    _, ticket = disputed
    row = read(cards, ticket)
    report = providers.dispute(cards.account.id, now=cards.now).read(ticket)

    def record(report):
        cards.now += timedelta(hours=1)
        disputes.record(
            account_id=cards.account.id, report=report, asked_at=cards.now, actor=PROVIDER, now=cards.now
        )
        row.refresh_from_db()

    for _ in range(2):
        record(replace(report, withdrawn=None, fee=None))
    assert (row.flag, row.withdrawn, told()[2:]) == (DisputeFlag.TOLD_LESS, Money(25_00, "USD"), ["updated"])
    assert row.next_query_at == cards.now + timedelta(hours=6)

    record(report)

    assert (row.flag, row.bookings) == ("", 1)


def test_one_that_breaks_keeps_no_other_away(cards, disputed):
    dispute(cards, cards.paid())
    broken = []

    def break_once(point):
        if point == "payments.before_dispute_posting" and not broken:
            broken.append(point)
            raise RuntimeError

    with faults.hooked(break_once):
        dispute_queries.read_list(account_id=cards.account.id, now=cards.now)
    assert (Dispute.objects.count(), PullCursor.objects.count()) == (1, 0)

    dispute_queries.read_list(account_id=cards.account.id, now=cards.now)

    assert Dispute.objects.count() == 2
    assert PullCursor.objects.get().disputes_until == cards.now
    assert is_statement_met(cards)


def test_dying_between_answer_and_booking_leaves_nothing_and_is_made_good(cards, disputed):
    attempt, ticket = disputed

    def die(point):
        if point == "payments.before_dispute_posting":
            raise SystemExit

    with faults.hooked(die), pytest.raises(SystemExit):
        read(cards, ticket)
    assert not Dispute.objects.exists()
    assert payments.reloaded(attempt).disputed_minor == 0

    read(cards, ticket)

    assert books()["DISPUTED_PAYMENTS"] == "25.00"
    assert is_statement_met(cards)


def test_moves_the_currency_that_a_payment_was_settled_in(cards, street):
    cards.account.currency = "KES"
    cards.account.save()
    cards.open(street.callback_url, rates={"kes": "0.0077"})
    attempt = cards.paid(money=payments.KES_1500)
    ticket = dispute(cards, attempt)
    read(cards, ticket)
    cards.act("disputes", ticket, "lose")

    row = read(cards, ticket)

    assert (row.money, row.lost) == (payments.KES_1500, Money(11_55, "USD"))
    assert (row.attempt.disputed_minor, row.attempt.received_currency) == (1_500_00, "KES")
    assert books() == {"DISPUTE_FEES": "15.00", "CHARGEBACK_LOSS": "11.55"}
    assert is_statement_met(cards)


def test_the_database_keeps_what_a_dispute_is(cards, disputed):
    attempt, ticket = disputed
    row = read(cards, ticket)
    rows = Dispute.objects.filter(id=row.id)

    for change in (
        {"ticket": "du_other"},
        {"withdrawn_minor": 1},
        {"lost_minor": 5},
        {"held_minor": 26_00},
        {"reported_at": row.reported_at - DAY},
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        PaymentAttempt.objects.filter(id=attempt.id).update(disputed_minor=1)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.delete()
