"""Reviews: a payment whose money does not fit is accepted or closed by a person, and its payable is free or paid."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from apps.audit.models import AuditRecord
from apps.integrations.ports import DisputeReport, DisputeStage, RefundOutcome
from apps.kit.actors import PROVIDER, SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.payments.contracts import InboundSource, InboundStatus, IntentStatus, LateMoney, Recorded
from apps.payments.dialogs.reviews import AcceptReview, CloseReview
from apps.payments.models import InboundReceipt, PaymentIntent
from apps.payments.services import (
    disputes,
    intents,
    payables,
    refund_limits,
    refunds,
    resolutions,
    reviews,
    sendings,
)
from apps.payments.services.attempts import InvalidState
from apps.payments.services.reports import MoneyUnexplained
from tests import dialogs
from tests.factories import access, payments
from tests.factories import refunds as made
from tests.payments.conftest import balance, bookings, books, told
from tests.payments.test_inbound_receipts import HELD, PAID, RECEIPT, notice, take
from tests.payments.test_late_money import choose, closed, collect
from tests.payments.test_payables import ORDER, ask
from tests.payments.test_two_connections import at_once

NOW = made.NOW
WHY = "Agreed with the payer."
SHORT = Money(900_00, "KES")


def late(**facts):
    """Return an attempt in review: the whole sum came after its payment was closed."""
    choose(late_money=LateMoney.SUSPENSE)
    return collect(closed(**facts), receipt=RECEIPT)


def accept(attempt):
    return reviews.accept(intent_id=attempt.intent_id, reason=WHY, actor=SYSTEM, now=NOW)


def close(attempt):
    return reviews.close(intent_id=attempt.intent_id, reason=WHY, actor=SYSTEM, now=NOW)


def assign(inbound, intent):
    return resolutions.assign(inbound_id=inbound.id, intent_id=intent.id, reason=WHY, actor=SYSTEM, now=NOW)


def test_accepted_money_pays_once(acme):
    attempt = late()
    assert books() == HELD

    intent = accept(attempt)
    with pytest.raises(InvalidState):
        accept(attempt)
    with pytest.raises(InvalidState):
        close(attempt)

    assert (intent.status, payments.reloaded(attempt).is_in_suspense) == (IntentStatus.SUCCEEDED, False)
    assert told(intent.id)[-2:] == ["payment_captured", "payment_success"]
    assert (bookings(), books()) == (2, PAID)
    record = AuditRecord.objects.get(action="payment.review_accepted")
    assert (record.reason, record.changes["status"]) == (WHY, ["IN_REVIEW", "SUCCEEDED"])


def test_closed_its_payable_is_free_and_its_money_is_given_to_another_payment(acme):
    attempt = late(**ORDER)
    with pytest.raises(payables.AlreadyPaid):
        ask(**ORDER)

    intent = close(attempt)
    with pytest.raises(InvalidState):
        close(attempt)

    inbound = InboundReceipt.objects.get()
    assert (intent.status, intent.settled_at, intent.failure_code) == (
        IntentStatus.FAILED,
        None,
        "review_closed",
    )
    assert WHY not in intent.failure_message
    assert AuditRecord.objects.get(action="payment.review_closed").reason == WHY
    assert (inbound.status, inbound.receipt, inbound.sources) == (
        InboundStatus.SUSPENSE,
        RECEIPT,
        [InboundSource.ATTEMPT],
    )
    assert (told(intent.id)[-1], told(inbound.id)) == ("payment_failed", ["money_unmatched"])
    assert books() == HELD
    again = ask(**ORDER)
    assign(inbound, again)
    assert payments.reload(again.id).status == IntentStatus.SUCCEEDED
    report = payments.collected(attempt, receipt=RECEIPT)
    assert intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW) == Recorded.DUPLICATE
    assert books() == PAID


def test_money_that_was_told_of_by_a_confirmation_waits_again_under_its_row(acme):
    attempt = late()
    take(notice(attempt.code))

    close(attempt)

    inbound = InboundReceipt.objects.get()
    assert (inbound.status, inbound.fee, inbound.attempt) == (InboundStatus.SUSPENSE, attempt.fee, None)
    refund = resolutions.give_back(inbound_id=inbound.id, reason=WHY, actor=SYSTEM, now=NOW)
    refund = sendings.begin(refund_id=refund.id, now=NOW)
    refunds.record(refund_id=refund.id, report=made.given_back(refund), actor=PROVIDER, now=NOW)
    assert books() == {"PROVIDER_BALANCE": "-7.50", "PROVIDER_FEES": "7.50"}


def test_money_of_another_branch_goes_to_the_suspense_of_its_account(acme):
    attempt = late(branch_id=access.branch().id)

    close(attempt)

    assert balance(AccountRole.SUSPENSE) == attempt.received
    inbound = InboundReceipt.objects.get()
    assert inbound.branch_id == attempt.provider_account.branch_id
    assign(inbound, payments.intent())
    assert books() == PAID


@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_money_whose_refund_succeeds_after_all_is_taken_back_from_where_a_closed_review_put_it(
    acme, is_elsewhere
):
    attempt = late(branch_id=access.branch().id) if is_elsewhere else late()
    refund, report = refused(attempt)
    close(attempt)

    for recorded in (Recorded.APPLIED, Recorded.DUPLICATE):
        assert refunds.record(refund_id=refund.id, report=report, actor=PROVIDER, now=NOW) == recorded

    inbound = InboundReceipt.objects.get()
    assert (inbound.status, inbound.attempt_id) == (InboundStatus.GIVING_BACK, attempt.id)
    assert payments.reload(attempt.intent_id).status == IntentStatus.FAILED
    assert balance(AccountRole.SUSPENSE).is_zero
    assert books() == {"PROVIDER_BALANCE": "-7.50", "PROVIDER_FEES": "7.50"}
    with pytest.raises(resolutions.NotWaiting):
        assign(inbound, payments.intent())


def test_a_late_success_of_money_that_was_given_on_is_for_people(acme):
    attempt = late()
    refund, report = refused(attempt)
    close(attempt)
    assign(InboundReceipt.objects.get(), payments.intent())

    with pytest.raises(MoneyUnexplained):
        refunds.record(refund_id=refund.id, report=report, actor=PROVIDER, now=NOW)

    assert books() == PAID


def dispute(attempt, stage, *, at):
    report = DisputeReport("dp_1", "", RECEIPT, stage, "fraudulent", "fraudulent", money=attempt.received)
    return disputes.record(
        account_id=attempt.provider_account_id, report=report, asked_at=at, actor=PROVIDER, now=at
    )


def test_disputed_money_of_a_closed_review_goes_nowhere_until_the_dispute_is_won(acme):
    attempt = late()
    close(attempt)
    inbound, other = InboundReceipt.objects.get(), payments.intent()
    for hours, stage in enumerate([DisputeStage.NEEDS_RESPONSE, DisputeStage.LOST]):
        dispute(attempt, stage, at=NOW + timedelta(hours=hours))
        with pytest.raises(refund_limits.PaymentDisputed):
            assign(inbound, other)
        with pytest.raises(refund_limits.PaymentDisputed):
            resolutions.give_back(inbound_id=inbound.id, reason=WHY, actor=SYSTEM, now=NOW)

    dispute(attempt, DisputeStage.WON, at=NOW + timedelta(hours=2))

    assert assign(inbound, other).status == InboundStatus.ASSIGNED


def test_a_review_whose_money_a_dispute_took_is_closed_once_that_is_lost(acme):
    attempt = late()
    dispute(attempt, DisputeStage.NEEDS_RESPONSE, at=NOW)
    with pytest.raises(refund_limits.PaymentDisputed):
        close(attempt)
    dispute(attempt, DisputeStage.LOST, at=NOW + timedelta(hours=1))

    intent = close(attempt)

    inbound = InboundReceipt.objects.get()
    assert (intent.status, inbound.status, books()) == (IntentStatus.FAILED, InboundStatus.SUSPENSE, HELD)
    with pytest.raises(refund_limits.PaymentDisputed):
        assign(inbound, payments.intent())


def test_a_late_success_and_its_assignment_at_once_have_one_winner(committed_acme):
    attempt, intent = late(), payments.intent()
    refund, report = refused(attempt)
    close(attempt)
    inbound = InboundReceipt.objects.get()

    results = at_once(
        lambda: refunds.record(refund_id=refund.id, report=report, actor=PROVIDER, now=NOW),
        lambda: assign(inbound, intent),
    )

    assert sum(isinstance(result, MoneyUnexplained | resolutions.NotWaiting) for result in results) == 1
    assert ("UNAPPLIED_COLLECTIONS" in books()) is isinstance(results[0], MoneyUnexplained)
    assert "SUSPENSE" not in books()


def test_what_carried_money_that_could_not_be_given_back_is_closed_and_the_money_waits_as_before(acme):
    inbound = payments.held()
    refund = resolutions.give_back(inbound_id=inbound.id, reason=WHY, actor=SYSTEM, now=NOW)
    refund = sendings.begin(refund_id=refund.id, now=NOW)
    refunds.record(refund_id=refund.id, report=made.declined(refund), actor=PROVIDER, now=NOW)
    carrier = payments.reloaded(refund.attempt)

    with pytest.raises(reviews.DoesNotFit):
        accept(carrier)
    intent = payments.reload(carrier.intent_id)
    assert (AcceptReview().is_offered(intent), CloseReview().is_offered(intent)) == (False, True)
    assert close(carrier).status == IntentStatus.FAILED
    assert books() == HELD

    again = resolutions.give_back(inbound_id=inbound.id, reason=WHY, actor=SYSTEM, now=NOW)
    assert again.attempt_id != carrier.id
    again = sendings.begin(refund_id=again.id, now=NOW)
    before = made.given_back(again, outcome=RefundOutcome.ALREADY, receipt="")
    refunds.record(refund_id=again.id, report=before, actor=PROVIDER, now=NOW)
    assert books() == {"PROVIDER_BALANCE": "-7.50", "PROVIDER_FEES": "7.50"}


def refused(attempt):
    """Return a refund that was sent and refused, and the report that it was carried out after all."""
    refund = refunds.give_back(attempt_id=attempt.id, reason=WHY, actor=SYSTEM, now=NOW)
    refund = sendings.begin(refund_id=refund.id, now=NOW)
    refunds.record(refund_id=refund.id, report=made.declined(refund), actor=PROVIDER, now=NOW)
    return refund, made.given_back(refund, receipt="NLR0LATE01")


def test_a_wrong_sum_is_never_accepted_and_what_goes_back_neither(acme):
    attempt = collect(payments.waiting(), money=SHORT)
    before = books()

    with pytest.raises(reviews.DoesNotFit):
        accept(attempt)
    refund = refunds.give_back(attempt_id=attempt.id, reason=WHY, actor=SYSTEM, now=NOW)
    with pytest.raises(refund_limits.RefundInProgress):
        close(attempt)
    assert books() == before

    refund = sendings.begin(refund_id=refund.id, now=NOW)
    refunds.record(refund_id=refund.id, report=made.given_back(refund), actor=PROVIDER, now=NOW)
    close(attempt)
    assert not InboundReceipt.objects.exists()
    assert "SUSPENSE" not in books()


def test_without_a_receipt_it_waits_and_without_a_reason_nothing_is_done(acme):
    choose(late_money=LateMoney.SUSPENSE)
    attempt = collect(closed(), receipt="", money=None)

    for deed in (accept, close):
        with pytest.raises(refund_limits.ReceiptPending):
            deed(attempt)
    with pytest.raises(refund_limits.ReasonMissing):
        reviews.close(intent_id=attempt.intent_id, reason=" ", actor=SYSTEM, now=NOW)

    assert payments.reload(attempt.intent_id).status == IntentStatus.IN_REVIEW


def test_nothing_is_kept_when_the_booking_fails(acme, monkeypatch):
    def broken(**_):
        raise RuntimeError("the database went away")

    attempt = late(branch_id=access.branch().id)
    monkeypatch.setattr("apps.ledger.services.journals.post", broken)

    for deed in (accept, close):
        with pytest.raises(RuntimeError):
            deed(attempt)

    assert payments.reload(attempt.intent_id).status == IntentStatus.IN_REVIEW
    assert payments.reloaded(attempt).is_in_suspense
    assert not InboundReceipt.objects.exists()


def test_the_database_lets_no_review_end_while_its_money_is_there(acme):
    attempt = late()

    with pytest.raises(IntegrityError, match="settled once"), transaction.atomic():
        PaymentIntent.objects.filter(id=attempt.intent_id).update(settled_at=None, status="FAILED")
    with (
        pytest.raises(IntegrityError, match="taken from it once"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE payments_paymentattempt SET surrendered_at = now(), is_in_suspense = false WHERE id = %s",
            [attempt.id],
        )


def test_two_people_at_once_decide_once(committed_acme):
    attempt = late()

    results = at_once(lambda: accept(attempt), lambda: close(attempt))

    assert sum(isinstance(result, InvalidState) for result in results) == 1
    status = payments.reload(attempt.intent_id).status
    assert books() == (PAID if status == IntentStatus.SUCCEEDED else HELD)


def test_a_person_does_it_in_the_portal(acme, in_organisation):
    attempt = late()
    browser = Client(HTTP_HOST="acme.testserver")
    browser.force_login(access.member("owner").user, backend="apps.access.backend.MembershipBackend")
    page = f"/portal/payments/paymentintent/{attempt.intent_id}/do"

    refused = dialogs.send(browser, f"{page}/close-review/", reason="")
    closed_one = dialogs.send(browser, f"{page}/close-review/", reason=WHY)
    in_organisation("acme")

    assert (refused.status_code, closed_one.status_code) == (422, 204)
    assert payments.reload(attempt.intent_id).status == IntentStatus.FAILED
    assert browser.get(f"{page}/accept-review/").status_code != 200
