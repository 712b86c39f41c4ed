"""Money in suspense that a lost dispute took: it leaves suspense by the loss, once, and waits again where that is not so any more."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from apps.integrations.ports import DisputeReport, DisputeStage
from apps.kit import faults
from apps.kit.actors import PROVIDER, SYSTEM
from apps.kit.money import Money
from apps.payments.contracts import InboundStatus, IntentStatus, Recorded
from apps.payments.models import Dispute, InboundReceipt, PaymentAttempt
from apps.payments.selectors import suspense as queue
from apps.payments.services import disputes, intents, losses, resolutions, reviews, sweeps
from tests.factories import access, payments
from tests.payments.conftest import bookings, books, told
from tests.payments.test_inbound_receipts import HELD, PAID, RECEIPT
from tests.payments.test_reviews import late
from tests.payments.test_two_connections import at_once

NOW = payments.NOW
HOUR = timedelta(hours=1)
SUM = payments.KES_1500
GONE = {"PROVIDER_BALANCE": "-7.50", "PROVIDER_FEES": "7.50"}
"""The books once the payer has his money: its fee stays paid."""
LOST, WON = DisputeStage.LOST, DisputeStage.WON


def report(stage=LOST, **facts):
    told = {"money": SUM, "withdrawn": SUM, "reinstated": SUM if stage is WON else None, **facts}
    return DisputeReport("dp_1", "", RECEIPT, stage, "fraudulent", "fraudulent", **told)


def record(what, account_id, *, at):
    return disputes.record(account_id=account_id, report=what, asked_at=at, actor=PROVIDER, now=at)


def lost(held, **facts):
    """Return the dispute that took money of this receipt or attempt for good."""
    record(report(**facts), held.provider_account_id, at=NOW + HOUR)
    return Dispute.objects.get()


def won(held, at=NOW + 2 * HOUR):
    return record(report(WON), held.provider_account_id, at=at)


def swept():
    """Let the sweep do what it finds, and return how many it found."""
    found = list(sweeps.DEEDS["cover"].rows(NOW).values_list("id", flat=True))
    for row_id in found:
        sweeps.do(deed="cover", row_id=row_id, now=NOW)
    return len(found)


def waiting():
    return queue.within(None, None).count()


def test_money_that_is_nobodys_leaves_the_queue_and_is_back_once_the_dispute_is_won(acme):
    inbound = payments.held(receipt=RECEIPT)
    dispute = lost(inbound)
    assert books() == {**GONE, "SUSPENSE": "1500.00", "CHARGEBACK_LOSS": "1500.00"}

    assert [swept(), swept()] == [1, 0]
    losses.cover(dispute_id=dispute.id, now=NOW)

    inbound.refresh_from_db()
    assert (inbound.status, inbound.taken_by, inbound.resolved_at) == (
        InboundStatus.TAKEN_BACK,
        dispute,
        NOW,
    )
    assert inbound.reason == "Dispute dp_1 was lost and took it. No reference was told."
    assert (books(), told(inbound.id)) == (GONE, ["money_unmatched", "money_taken_back"])
    with pytest.raises(resolutions.NotWaiting, match="taken back"):
        resolutions.give_back(inbound_id=inbound.id, reason="Asked for", actor=SYSTEM, now=NOW)
    again = report()
    assert record(again, inbound.provider_account_id, at=NOW + 1.5 * HOUR) == Recorded.DUPLICATE

    assert [won(inbound), won(inbound, at=NOW + 3 * HOUR)] == [Recorded.APPLIED, Recorded.DUPLICATE]

    inbound.refresh_from_db()
    assert (inbound.status, inbound.taken_by, swept()) == (InboundStatus.SUSPENSE, None, 0)
    assert (books(), told(inbound.id)[-1]) == (HELD, "money_unmatched")
    intent = payments.intent()
    resolutions.assign(inbound_id=inbound.id, intent_id=intent.id, reason="Found", actor=SYSTEM, now=NOW)
    assert books() == PAID


@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_a_review_ends_without_money_that_is_gone_and_its_receipt_keeps_the_claim(acme, is_elsewhere):
    attempt = late(branch_id=access.branch().id) if is_elsewhere else late()
    lost(attempt)
    assert (waiting(), swept(), waiting(), books()) == (1, 1, 0, GONE)
    with pytest.raises(DatabaseError, match="took the money"), transaction.atomic():
        PaymentAttempt.objects.filter(id=attempt.id).update(is_in_suspense=False)

    intent = reviews.close(intent_id=attempt.intent_id, reason="Gone", actor=SYSTEM, now=NOW)

    assert (intent.status, swept(), swept(), books()) == (IntentStatus.FAILED, 1, 0, GONE)
    inbound = InboundReceipt.objects.get()
    assert inbound.status == InboundStatus.TAKEN_BACK
    won(attempt, at=NOW + 4 * HOUR)
    inbound.refresh_from_db()
    assert (inbound.status, books()) == (InboundStatus.SUSPENSE, HELD)


def test_a_review_is_in_the_queue_again_once_its_dispute_is_won_and_may_be_accepted(acme):
    attempt = late()
    lost(attempt)
    swept()

    won(attempt)

    assert (waiting(), swept(), books()) == (1, 0, HELD)
    reviews.accept(intent_id=attempt.intent_id, reason="Agreed", actor=SYSTEM, now=NOW)
    assert books() == PAID


def test_what_is_of_a_payment_after_all_is_booked_once_and_the_loss_is_one(acme):
    attempt = payments.waiting()
    inbound = payments.held(receipt=RECEIPT, reference="ORD 7")
    dispute = lost(inbound)
    swept()

    collected = payments.collected(attempt, receipt=RECEIPT)
    for recorded in (Recorded.APPLIED, Recorded.DUPLICATE):
        assert intents.record(attempt_id=attempt.id, report=collected, actor=PROVIDER, now=NOW) == recorded

    inbound.refresh_from_db()
    dispute.refresh_from_db()
    assert (inbound.status, inbound.attempt_id, dispute.covered_minor) == (
        InboundStatus.MATCHED,
        attempt.id,
        0,
    )
    assert books() == {**GONE, "UNAPPLIED_COLLECTIONS": "1500.00", "CHARGEBACK_LOSS": "1500.00"}
    assert swept() == 0


@pytest.mark.parametrize(
    "facts",
    [
        {"stage": DisputeStage.NEEDS_RESPONSE},
        {"money": Money(900_00, "KES"), "withdrawn": Money(900_00, "KES")},
        {"reinstated": Money(1_00, "KES")},
        {"withdrawn": None},
    ],
)
def test_what_is_not_taken_whole_and_for_good_waits_for_people(acme, facts):
    inbound = payments.held(receipt=RECEIPT)
    dispute = lost(inbound, **facts)
    before = books()

    assert swept() == 0
    losses.cover(dispute_id=dispute.id, now=NOW)

    inbound.refresh_from_db()
    assert (inbound.status, books()) == (InboundStatus.SUSPENSE, before)


def test_half_of_it_is_not_kept(acme):
    inbound = payments.held(receipt=RECEIPT)
    dispute = lost(inbound)
    before = books()

    def die(point):
        if point == "payments.before_dispute_posting":
            raise SystemExit

    with faults.hooked(die), pytest.raises(SystemExit):
        losses.cover(dispute_id=dispute.id, now=NOW)
    inbound.refresh_from_db()
    assert (inbound.status, books()) == (InboundStatus.SUSPENSE, before)

    assert (swept(), books()) == (1, GONE)


def test_of_several_at_once_one_books_it_and_the_last_word_is_the_providers(committed_acme):
    inbound = payments.held(receipt=RECEIPT)
    dispute = lost(inbound)
    made = bookings()

    def cover():
        return losses.cover(dispute_id=dispute.id, now=NOW)

    at_once(*[cover] * 3)
    assert (bookings(), books()) == (made + 1, GONE)

    at_once(cover, lambda: won(inbound), cover)

    inbound.refresh_from_db()
    assert (inbound.status, books()) == (InboundStatus.SUSPENSE, HELD)


def test_the_database_lets_a_dispute_take_it_whole_and_once(acme):
    inbound = payments.held(receipt=RECEIPT)
    dispute = lost(inbound)
    row, own = Dispute.objects.filter(id=dispute.id), InboundReceipt.objects.filter(id=inbound.id)
    taken = {"status": "TAKEN_BACK", "taken_by": dispute}

    refused(row, covered_minor=1_500_00, bookings=9)  # no receipt says so
    refused(own, status="TAKEN_BACK")
    refused(own, taken_by=dispute)
    other = payments.held()
    refused(InboundReceipt.objects.filter(id=other.id), **taken)  # of another receipt
    swept()
    refused(row, covered_minor=0, bookings=9)
    refused(row, covered_minor=1, bookings=9)
    refused(row, status="WON", reported_at=NOW + 2 * HOUR)
    refused(own, status="SUSPENSE")
    refused(own, status="ASSIGNED", taken_by=None)


def refused(rows, **change):
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(**change)
