"""Payments in parts: what comes under a payment's own code adds up, each part once, and never to more than was asked for."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.audit.models import AuditRecord
from apps.events.models import OutboxEvent
from apps.integrations.ports import InboundCheck
from apps.invoicing import subscribers as invoicing
from apps.invoicing.selectors import receipts as documents
from apps.kit import faults, ids
from apps.kit.actors import PROVIDER, SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.ledger.services import accounts
from apps.payments import events
from apps.payments.contracts import InboundStatus, IntentStatus, LateMoney, Recorded
from apps.payments.models import InboundReceipt, PaymentAttempt, Refund
from apps.payments.services import (
    inbound_checks,
    intents,
    payables,
    refund_limits,
    refunds,
    resolutions,
    reviews,
)
from tests.factories import access, ledger, payments
from tests.factories import refunds as made
from tests.payments.conftest import balance, bookings, books, told
from tests.payments.partner import Partner
from tests.payments.test_inbound_receipts import notice, take
from tests.payments.test_late_money import choose, closed
from tests.payments.test_payables import ORDER
from tests.payments.test_two_connections import at_once

NOW = payments.NOW + timedelta(seconds=30)
WHY = "Agreed with the payer."
A_THIRD, TWO_THIRDS = Money(500_00, "KES"), Money(1000_00, "KES")


@pytest.fixture(autouse=True)
def parts(request):
    request.getfixturevalue("committed_acme" if "committed_acme" in request.fixturenames else "acme")
    access.portal()
    choose(takes_parts=True)


def pay(intent, money=A_THIRD, receipt="SKH0000001", **facts):
    """Return what somebody who pays under the payment's own code is recorded as."""
    return take(notice(intent.code, money=money, receipt=receipt), **facts)


def partly(money=A_THIRD, **facts):
    """Return a payment of which a part has come."""
    intent = payments.intent(**facts)
    pay(intent, money)
    return payments.reload(intent.id)


def status(intent):
    found = payments.reload(intent.id)
    return found.status, found.paid_minor


def sums(intent):
    told_of = events.snapshot(payments.reload(intent.id))
    return {name: told_of[name]["amount"] for name in ("received", "fee", "refunded")}


@pytest.mark.parametrize("confirm", [True, False])
def test_less_than_is_due_pays_a_part(acme, confirm):
    intent = payments.intent(is_confirmed=confirm)

    recorded, inbound = pay(intent)

    assert (recorded, inbound.status, inbound.intent_id) == (
        Recorded.APPLIED,
        InboundStatus.MATCHED,
        intent.id,
    )
    assert status(intent) == (IntentStatus.PARTIALLY_PAID, 500_00)
    assert payments.reload(intent.id).due == TWO_THIRDS
    assert told(intent.id) == ["payment_intent_created", "payment_partially_paid"]
    assert books() == {
        "PROVIDER_BALANCE": "497.50",
        "PROVIDER_FEES": "2.50",
        "UNAPPLIED_COLLECTIONS": "500.00",
    }


def test_the_rest_of_it_makes_it_whole(acme):
    intent = partly()

    pay(intent, Money(300_00, "KES"), "SKH0000002")
    assert status(intent) == (IntentStatus.PARTIALLY_PAID, 800_00)
    pay(intent, Money(700_00, "KES"), "SKH0000003")

    assert status(intent) == (IntentStatus.SUCCEEDED, 1500_00)
    assert told(intent.id) == [
        "payment_intent_created",
        "payment_partially_paid",
        "payment_partially_paid",
        "payment_captured",
        "payment_success",
    ]
    assert sums(intent) == {"received": "1500.00", "fee": "7.50", "refunded": "0.00"}
    said = events.snapshot(payments.reload(intent.id))
    assert [(part["received"]["amount"], part["provider_receipt"]) for part in said["parts"]] == [
        ("500.00", "SKH0000001"),
        ("300.00", "SKH0000002"),
        ("700.00", "SKH0000003"),
    ]
    assert said["provider_receipt"] == "SKH0000003"
    assert (bookings(), balance("UNAPPLIED_COLLECTIONS")) == (3, payments.KES_1500)


def test_each_part_has_a_receipt_that_says_what_is_left(acme):
    intent = partly()
    pay(intent, TWO_THIRDS, "SKH0000002")

    for _ in range(2):
        rows = OutboxEvent.objects.filter(aggregate_id=intent.id).order_by("aggregate_version")
        paid = rows.filter(type__in=["payment_partially_paid", "payment_success"])
        invoicing.issue_receipts([row.as_event() for row in paid])

    found = [
        (one.money, one.part_of, one.left, one.provider_receipt) for one in documents.of_intent(intent.id)
    ]
    assert found == [
        (A_THIRD, payments.KES_1500, TWO_THIRDS, "SKH0000001"),
        (TWO_THIRDS, payments.KES_1500, Money.zero("KES"), "SKH0000002"),
    ]


@pytest.mark.parametrize("is_first", [True, False])
def test_more_than_is_due_waits_for_a_person(acme, is_first):
    intent = payments.intent()
    if not is_first:
        pay(intent)
    before = status(intent)
    more = payments.KES_1500 + A_THIRD if is_first else payments.KES_1500

    _, inbound = pay(intent, more, "SKH0000002")

    if is_first:
        assert status(intent) == (IntentStatus.IN_REVIEW, 0)
    else:
        assert status(intent) == before == (IntentStatus.PARTIALLY_PAID, 500_00)
        assert (inbound.status, inbound.intent_id) == (InboundStatus.SUSPENSE, intent.id)
        assert inbound.reason == f"KES 1,000.00 of payment {intent.code} is due: KES 1,500.00 came."
    assert balance("SUSPENSE") == more


def test_where_no_parts_are_taken_a_person_decides(acme):
    choose()

    intent = partly()

    assert intent.status == IntentStatus.IN_REVIEW
    with pytest.raises(resolutions.DoesNotFit):
        reviews.accept(intent_id=intent.id, reason=WHY, actor=SYSTEM, now=NOW)
    choose(takes_parts=True)
    reviews.accept(intent_id=intent.id, reason=WHY, actor=SYSTEM, now=NOW)
    assert status(intent) == (IntentStatus.PARTIALLY_PAID, 500_00)
    assert told(intent.id)[-1] == "payment_partially_paid"
    assert balance("UNAPPLIED_COLLECTIONS") == A_THIRD

    choose()
    pay(intent, TWO_THIRDS, "SKH0000002")
    assert status(intent) == (IntentStatus.SUCCEEDED, 1500_00)
    assert len(events.snapshot(payments.reload(intent.id))["parts"]) == 2


def test_the_same_receipt_again_changes_nothing(acme):
    intent = partly()

    recorded, _ = pay(intent)

    assert recorded is Recorded.DUPLICATE
    assert (status(intent), bookings()) == ((IntentStatus.PARTIALLY_PAID, 500_00), 1)


@pytest.mark.parametrize(
    ("shillings", "ended", "suspended"),
    [
        ((1000, 1000), (IntentStatus.PARTIALLY_PAID, 1000_00), 1000_00),
        ((500, 1000), (IntentStatus.SUCCEEDED, 1500_00), 0),
        ((500, 500), (IntentStatus.PARTIALLY_PAID, 1000_00), 0),
    ],
)
def test_two_parts_at_once_never_pay_more_than_is_due(committed_acme, shillings, ended, suspended):
    intent = payments.intent()
    calls = [
        lambda place=place, sum_of=sum_of: pay(intent, Money(sum_of * 100, "KES"), f"SKH000000{place}")
        for place, sum_of in enumerate(shillings)
    ]

    assert [recorded for recorded, _ in at_once(*calls)] == [Recorded.APPLIED] * 2

    assert status(intent) == ended
    assert (balance("SUSPENSE").minor, bookings()) == (suspended, 2)
    assert balance("UNAPPLIED_COLLECTIONS").minor == ended[1]


def test_one_receipt_from_two_connections_is_one_part(committed_acme):
    intent = payments.intent()

    results = at_once(*[lambda: pay(intent)] * 2)

    assert sorted(recorded for recorded, _ in results) == [Recorded.APPLIED, Recorded.DUPLICATE]
    assert (status(intent), bookings()) == ((IntentStatus.PARTIALLY_PAID, 500_00), 1)


def test_what_fails_half_way_leaves_nothing_of_a_part(acme):
    intent = partly()

    def die(point):
        if point == "payments.before_posting":
            raise SystemExit

    with faults.hooked(die), pytest.raises(SystemExit):
        pay(intent, TWO_THIRDS, "SKH0000002")
    assert (status(intent), bookings()) == ((IntentStatus.PARTIALLY_PAID, 500_00), 1)
    assert not InboundReceipt.objects.filter(receipt="SKH0000002").exists()

    pay(intent, TWO_THIRDS, "SKH0000002")
    assert (status(intent), bookings()) == ((IntentStatus.SUCCEEDED, 1500_00), 2)


def test_a_prompt_that_is_paid_after_a_part_waits_for_a_person(acme):
    attempt = payments.waiting()
    intent = attempt.intent
    pay(intent)

    intents.record(attempt_id=attempt.id, report=payments.collected(attempt), actor=PROVIDER, now=NOW)

    assert status(intent) == (IntentStatus.PARTIALLY_PAID, 500_00)
    assert payments.reloaded(attempt).is_in_suspense
    assert told(intent.id)[-2:] == ["payment_partially_paid", "payment_in_review"]
    assert balance("SUSPENSE") == payments.KES_1500
    pay(intent, TWO_THIRDS, "SKH0000002")
    assert status(intent) == (IntentStatus.SUCCEEDED, 1500_00)


def test_less_under_the_code_of_a_prompt_is_that_prompts_and_for_a_person(acme):
    attempt = payments.waiting()

    take(notice(attempt.code, money=A_THIRD))

    assert status(attempt.intent) == (IntentStatus.IN_REVIEW, 0)
    assert PaymentAttempt.objects.count() == 1


@pytest.mark.parametrize(
    ("late_money", "ended"),
    [
        (LateMoney.ACCEPT, (IntentStatus.PARTIALLY_PAID, 500_00)),
        (LateMoney.SUSPENSE, (IntentStatus.IN_REVIEW, 0)),
        (LateMoney.REFUND, (IntentStatus.IN_REVIEW, 0)),
    ],
)
def test_a_part_that_comes_late_does_what_late_money_does(acme, late_money, ended):
    choose(takes_parts=True, late_money=late_money)
    intent = closed().intent

    pay(intent)

    assert status(intent) == ended
    assert payments.reload(intent.id).is_late
    assert (payments.reload(intent.id).current_attempt.refund_due_at is not None) == (
        late_money is LateMoney.REFUND
    )


def test_the_rest_may_be_asked_for_by_another_payment_which_pays_it_alone(acme):
    first = partly(**ORDER)
    with pytest.raises(payables.AlreadyPaid, match=r"has paid a part of this: KES 1,000\.00 is due"):
        payments.intent(**ORDER, now=NOW)

    rest = payments.intent(**ORDER, money=TWO_THIRDS, now=NOW)
    with pytest.raises(payables.PaymentInProgress):
        payments.intent(**ORDER, money=TWO_THIRDS, now=NOW)
    pay(rest, TWO_THIRDS, "SKH0000002")
    _, inbound = pay(first, TWO_THIRDS, "SKH0000003")

    assert status(rest) == (IntentStatus.SUCCEEDED, 1000_00)
    assert status(first) == (IntentStatus.PARTIALLY_PAID, 500_00)
    assert inbound.status == InboundStatus.DUPLICATE_SUSPECTED
    with pytest.raises(payables.AlreadyPaid):
        payments.intent(**ORDER, now=NOW)


def test_a_person_gives_it_a_part_from_suspense(acme):
    inbound, more = payments.held(money=A_THIRD), payments.held(money=payments.KES_1500)
    intent = payments.intent()

    def assign(row):
        return resolutions.assign(
            inbound_id=row.id, intent_id=intent.id, reason=WHY, actor=SYSTEM, now=NOW + timedelta(days=2)
        )

    assert assign(inbound).status == InboundStatus.ASSIGNED
    assert status(intent) == (IntentStatus.PARTIALLY_PAID, 500_00)
    with pytest.raises(resolutions.DoesNotFit, match=r"asks for KES 1,000\.00; KES 1,500\.00 arrived"):
        assign(more)
    assert (balance("SUSPENSE"), balance("UNAPPLIED_COLLECTIONS")) == (payments.KES_1500, A_THIRD)


def test_one_part_goes_back_and_is_named(acme):
    intent = partly()
    pay(intent, TWO_THIRDS, "SKH0000002")
    first, second = PaymentAttempt.objects.paying()
    stranger = payments.waiting(reference="B")

    def refund(attempt=None, **facts):
        return refunds.create(
            intent_id=intent.id,
            attempt_id=attempt.id if attempt else None,
            money=None,
            reason=WHY,
            actor=SYSTEM,
            now=NOW,
            **facts,
        )

    for refused in (None, stranger):
        with pytest.raises(refund_limits.PaymentInParts) as refusal:
            refund(refused)
        assert refusal.value.errors[0].pointer == "/attempt_id"
    assert (refund(first).money, refund(second).money) == (A_THIRD, TWO_THIRDS)
    with pytest.raises(refund_limits.RefundInProgress):
        refund(first)


def test_money_that_waits_beside_the_parts_is_none_of_them(acme):
    attempt = payments.waiting()
    pay(attempt.intent)
    intents.record(attempt_id=attempt.id, report=payments.collected(attempt), actor=PROVIDER, now=NOW)

    with pytest.raises(refund_limits.PaymentInParts):
        refunds.create(
            intent_id=attempt.intent_id,
            attempt_id=attempt.id,
            money=None,
            reason=WHY,
            actor=SYSTEM,
            now=NOW,
        )

    assert not Refund.objects.exists()


def test_the_only_part_goes_back_unnamed_and_counts_as_paid(acme):
    intent = partly()

    refund = refunds.create(intent_id=intent.id, money=None, reason=WHY, actor=SYSTEM, now=NOW)

    assert (refund.money, status(intent)) == (A_THIRD, (IntentStatus.PARTIALLY_PAID, 500_00))


def test_a_part_that_a_person_accepted_goes_back_for_what_it_brought(acme):
    choose()
    intent = partly()
    choose(takes_parts=True)
    reviews.accept(intent_id=intent.id, reason=WHY, actor=SYSTEM, now=NOW)
    refund = made.pending(intent.current_attempt)

    refunds.record(refund_id=refund.id, report=made.given_back(refund), actor=PROVIDER, now=made.NOW)

    assert refund.money == A_THIRD
    assert books() == {"PROVIDER_BALANCE": "-2.50", "PROVIDER_FEES": "2.50"}


@pytest.mark.parametrize(
    ("terms", "code", "shillings", "answer"),
    [
        ({}, "new", 500, InboundCheck.BAD_AMOUNT),
        ({"takes_parts": True}, "new", 500, InboundCheck.ACCEPT),
        ({"takes_parts": True}, "new", 1501, InboundCheck.BAD_AMOUNT),
        ({"takes_parts": True}, "partly", 1000, InboundCheck.ACCEPT),
        ({"takes_parts": True}, "partly", 1500, InboundCheck.BAD_AMOUNT),
        ({}, "partly", 400, InboundCheck.ACCEPT),
        ({"takes_parts": True}, "prompt", 500, InboundCheck.BAD_AMOUNT),
        ({"takes_parts": True}, "whole", 500, InboundCheck.BAD_ACCOUNT),
    ],
)
def test_a_check_lets_parts_in(acme, terms, code, shillings, answer):
    whole = partly()
    pay(whole, TWO_THIRDS, "SKH0000002")
    attempt = payments.waiting(reference="B")
    half = payments.intent(reference="C")
    pay(half, receipt="SKH0000003")
    codes = {"new": attempt.intent.code, "prompt": attempt.code, "partly": half.code, "whole": whole.code}
    choose(refuses_unknown=True, refuses_other_sums=True, **terms)
    report = notice(codes[code], money=Money(shillings * 100, "KES"))

    assert inbound_checks.decide(account_id=attempt.provider_account_id, report=report, now=NOW) is answer


def test_what_is_only_to_be_held_back_has_no_parts(acme):
    intent = payments.intent(choice=None, is_confirmed=False, is_captured=False)

    pay(intent)

    assert status(intent) == (IntentStatus.IN_REVIEW, 0)


def test_the_database_keeps_the_sums(acme):
    intent = partly()

    def change(**facts):
        said = ", ".join(f"{name} = %s" for name in facts)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE payments_paymentintent SET {said} WHERE id = %s",
                [*facts.values(), intent.id],
            )

    for facts, refusal in (
        ({"paid_minor": 600_00}, "is what its attempts brought"),
        ({"paid_minor": 0}, "is what its attempts brought"),
        ({"status": "FAILED"}, "cannot go from PARTIALLY_PAID to FAILED"),
        ({"status": "IN_REVIEW"}, "cannot go from PARTIALLY_PAID to IN_REVIEW"),
    ):
        with pytest.raises(IntegrityError, match=refusal):
            change(**facts)
    assert status(intent) == (IntentStatus.PARTIALLY_PAID, 500_00)


def test_a_list_reads_the_parts_of_all_its_payments_at_once(acme):
    partner, sent = Partner(), []
    for receipt in ("SKH0000001", "SKH0000002"):
        pay(payments.intent(reference=receipt), receipt=receipt)
        with CaptureQueriesContext(connection) as captured:
            listed = partner.get().json()["data"]
        sent.append(sum(' ORDER BY "payments_paymentattempt"."booked_at"' in one["sql"] for one in captured))

    assert [len(one["parts"]) for one in listed] == [1, 1]
    assert sent == [1, 1]


def test_the_receipt_of_each_part_finds_it(acme):
    intent = partly()
    pay(intent, TWO_THIRDS, "SKH0000002")
    partner = Partner()

    for receipt in ("SKH0000001", "SKH0000002"):
        found = partner.get(provider_receipt=receipt).json()["data"]
        assert [one["id"] for one in found] == [ids.encode("pi", intent.id)]
    assert partner.get(provider_receipt="SKH0000003").json()["data"] == []


@pytest.mark.parametrize("shut", [accounts.close, accounts.freeze])
def test_a_part_waits_for_a_person_while_the_account_that_takes_it_is_shut(acme, shut):
    intent = partly() if shut is accounts.freeze else payments.intent()
    before = status(intent)
    unapplied = ledger.ref(AccountRole.UNAPPLIED_COLLECTIONS, intent.branch_id)
    accounts.ensure(ref=unapplied, now=NOW)
    shut(ref=unapplied, reason="Another one is used", actor=SYSTEM, now=NOW)

    _, inbound = pay(intent, Money(400_00, "KES"), "SKH0000002")

    assert (inbound.status, inbound.intent_id, status(intent)) == (InboundStatus.SUSPENSE, intent.id, before)
    assert "payment_success" not in told(intent.id)
    if shut is accounts.freeze:
        accounts.unfreeze(ref=unapplied, reason="Again", actor=SYSTEM, now=NOW)
        resolutions.assign(inbound_id=inbound.id, intent_id=intent.id, reason=WHY, actor=SYSTEM, now=NOW)
        assert status(intent) == (IntentStatus.PARTIALLY_PAID, 900_00)


def test_what_is_left_can_be_cancelled_and_what_has_come_stays(acme):
    intent = partly(**ORDER)

    for _ in range(2):
        cancelled = intents.cancel(intent_id=intent.id, actor=SYSTEM, now=NOW)
    _, inbound = pay(intent, TWO_THIRDS, "SKH0000002")

    assert (cancelled.due, cancelled.cancel_requested_at) == (Money.zero("KES"), NOW)
    assert (status(intent), inbound.status) == (
        (IntentStatus.PARTIALLY_PAID, 500_00),
        InboundStatus.SUSPENSE,
    )
    assert AuditRecord.objects.filter(action="payment.cancel_requested").count() == 1
    choose(refuses_unknown=True, takes_parts=True)
    report = notice(intent.code, money=TWO_THIRDS)
    account_id = cancelled.current_attempt.provider_account_id
    assert inbound_checks.decide(account_id=account_id, report=report, now=NOW) is InboundCheck.BAD_ACCOUNT
    assert payments.intent(**ORDER, now=NOW).status == IntentStatus.PROCESSING


def test_a_wish_to_cancel_a_prompt_takes_a_part_and_no_more(acme):
    attempt = payments.waiting()
    intents.cancel(intent_id=attempt.intent_id, actor=SYSTEM, now=NOW)

    pay(attempt.intent)
    _, inbound = pay(attempt.intent, TWO_THIRDS, "SKH0000002")

    assert status(attempt.intent) == (IntentStatus.PARTIALLY_PAID, 500_00)
    assert inbound.status == InboundStatus.SUSPENSE
