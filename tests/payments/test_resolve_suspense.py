"""Resolve suspense: money that nobody could explain is given to a payment, goes back, or is somebody's to look after."""

import json

import pytest
from django.test import Client

from apps.audit.models import AuditRecord
from apps.kit import actors, errors, ids
from apps.kit.actors import PROVIDER, SYSTEM
from apps.kit.money import Money
from apps.payments.contracts import (
    AttemptStatus,
    InboundStatus,
    IntentStatus,
    LateMoney,
    Recorded,
    RefundStatus,
)
from apps.payments.models import InboundReceipt, PaymentAttempt, Refund
from apps.payments.services import intents, refunds, reports, resolutions, sendings
from tests.factories import access, approvals, payments
from tests.factories import refunds as made
from tests.payments.conftest import bookings, books, told
from tests.payments.partner import Partner, refused
from tests.payments.test_inbound_receipts import HELD, PAID
from tests.payments.test_late_money import choose
from tests.payments.test_two_connections import at_once

NOW = made.NOW
WHY = "The payer called."


def assign(inbound, intent):
    return resolutions.assign(inbound_id=inbound.id, intent_id=intent.id, reason=WHY, actor=SYSTEM, now=NOW)


def give_back(inbound):
    return resolutions.give_back(inbound_id=inbound.id, reason=WHY, actor=SYSTEM, now=NOW)


def test_assigned_money_settles_its_payment_once(acme):
    inbound, intent = payments.held(), payments.intent()

    assign(inbound, intent)
    with pytest.raises(resolutions.NotWaiting):
        assign(inbound, payments.intent())

    inbound.refresh_from_db()
    intent = payments.reload(intent.id)
    assert (inbound.status, inbound.intent_id, inbound.resolved_by) == (
        InboundStatus.ASSIGNED,
        intent.id,
        str(SYSTEM),
    )
    assert (intent.status, intent.current_attempt.provider_receipt) == (
        IntentStatus.SUCCEEDED,
        inbound.receipt,
    )
    assert told(inbound.id) == ["money_unmatched", "money_matched"]
    assert (bookings(), books()) == (2, PAID)
    assert AuditRecord.objects.get(action="money.assigned").reason == WHY


def test_a_closed_payment_is_paid_by_decision_whatever_becomes_of_late_money(acme):
    choose(late_money=LateMoney.SUSPENSE)
    inbound, intent = payments.held(), payments.intent()
    intents.cancel(intent_id=intent.id, actor=SYSTEM, now=NOW)

    assign(inbound, intent)

    assert payments.reload(intent.id).status == IntentStatus.SUCCEEDED


def test_does_not_give_money_where_it_does_not_fit(acme):
    inbound = payments.held()
    paid = made.paid()
    before = books()

    for intent in (paid.intent, payments.intent(money=Money(99_00, "KES"))):
        with pytest.raises(resolutions.DoesNotFit):
            assign(inbound, intent)
    for intent_id in (ids.new(), inbound.id):
        with pytest.raises(errors.NotFound):
            resolutions.assign(inbound_id=inbound.id, intent_id=intent_id, reason=WHY, actor=SYSTEM, now=NOW)

    assert InboundReceipt.objects.get().is_waiting
    assert books() == before


def test_nothing_is_kept_when_the_booking_fails(acme, monkeypatch):
    def broken(**_):
        raise RuntimeError("the database went away")

    inbound, intent = payments.held(), payments.intent()
    monkeypatch.setattr("apps.ledger.services.journals.post", broken)
    with pytest.raises(RuntimeError):
        assign(inbound, intent)
    monkeypatch.setattr(refunds, "give_back", broken)
    with pytest.raises(RuntimeError):
        give_back(inbound)

    assert InboundReceipt.objects.get().is_waiting
    assert not PaymentAttempt.objects.exists()
    assert payments.reload(intent.id).status == IntentStatus.PROCESSING


def test_two_people_at_once_assign_it_once(committed_acme):
    inbound, first, second = payments.held(), payments.intent(), payments.intent()

    def decide(intent):
        try:
            return assign(inbound, intent)
        except resolutions.NotWaiting:
            return None

    results = at_once(lambda: decide(first), lambda: decide(second))

    assert sum(result is not None for result in results) == 1
    assert books() == PAID


def test_goes_back_out_of_suspense(acme):
    inbound = payments.held()

    refund = give_back(inbound)
    with pytest.raises(resolutions.NotWaiting):
        give_back(inbound)

    inbound.refresh_from_db()
    assert (inbound.status, refund.payment_receipt, refund.money) == (
        InboundStatus.GIVING_BACK,
        inbound.receipt,
        inbound.money,
    )
    assert (bookings(), books()) == (1, HELD)
    refund = sendings.begin(refund_id=refund.id, now=NOW)
    report = made.given_back(refund)
    for _ in range(2):
        refunds.record(refund_id=refund.id, report=report, actor=PROVIDER, now=NOW)
    assert Refund.objects.get().status == RefundStatus.SUCCEEDED
    assert books() == {"PROVIDER_BALANCE": "-7.50", "PROVIDER_FEES": "7.50"}


def failed(refund):
    sending = sendings.begin(refund_id=refund.id, now=NOW)
    refunds.record(refund_id=refund.id, report=made.declined(sending), actor=PROVIDER, now=NOW)


def test_what_could_not_be_given_back_waits_again_and_is_decided_anew(acme):
    inbound = payments.held()
    first = give_back(inbound)
    failed(first)

    inbound.refresh_from_db()
    assert (inbound.status, inbound.attempt_id, inbound.intent_id) == (InboundStatus.SUSPENSE, None, None)
    assert inbound.reason.startswith("It could not be given back: The business account")
    assert told(inbound.id)[-2:] == ["money_matched", "money_unmatched"]
    second = give_back(inbound)
    assert (second.attempt_id, second.payment_receipt) == (first.attempt_id, inbound.receipt)
    failed(second)
    assign(inbound, payments.intent())
    assert books() == PAID

    late = made.given_back(made.reloaded(first))
    with pytest.raises(reports.MoneyUnexplained):
        refunds.record(refund_id=first.id, report=late, actor=PROVIDER, now=NOW)
    assert books() == PAID


def test_money_that_went_back_after_all_waits_no_more(acme):
    inbound = payments.held()
    refund = give_back(inbound)
    failed(refund)

    for _ in range(2):
        late = made.given_back(made.reloaded(refund), receipt="NLR0LATE01")
        refunds.record(refund_id=refund.id, report=late, actor=PROVIDER, now=NOW)

    inbound.refresh_from_db()
    assert (inbound.status, inbound.attempt_id) == (InboundStatus.GIVING_BACK, refund.attempt_id)
    assert books() == {"PROVIDER_BALANCE": "-7.50", "PROVIDER_FEES": "7.50"}


def test_goes_back_only_once_other_people_agree_where_a_rule_says_so(acme):
    approvals.rule(minimum_minor=1)
    inbound = payments.held()

    refund = resolutions.give_back(inbound_id=inbound.id, reason=WHY, actor=approvals.maker(), now=NOW)

    assert refund.status == RefundStatus.AWAITING_APPROVAL


def test_a_callback_under_a_receipt_that_a_person_decided_about_is_for_people(acme):
    attempt = payments.waiting()
    inbound = payments.held(payer="2541 ***** 111")
    give_back(inbound)

    def report(**facts):
        found = payments.collected(attempt, **facts)
        return intents.record(attempt_id=attempt.id, report=found, actor=PROVIDER, now=NOW)

    with pytest.raises(reports.MoneyUnexplained):
        report(receipt=inbound.receipt)
    for _ in range(2):
        reports.hold_unexplained(attempt_id=attempt.id, receipt=inbound.receipt, now=NOW)
    assert report(receipt="", money=None) == Recorded.IGNORED

    attempt = payments.reloaded(attempt)
    assert (attempt.status, attempt.next_query_at) == (AttemptStatus.UNKNOWN, None)
    assert told(attempt.intent_id)[-2:] == ["payment_unknown", "payment_in_review"]
    assert books() == HELD


def test_somebody_of_the_team_takes_it_over(acme):
    inbound = payments.held()
    member = access.member("treasury_officer")
    person = actors.person(member.user_id)

    for _ in range(2):
        resolutions.take_over(inbound_id=inbound.id, actor=person, now=NOW)
    with pytest.raises(errors.Forbidden):
        resolutions.take_over(inbound_id=inbound.id, actor=SYSTEM, now=NOW)

    assert InboundReceipt.objects.get().owner_id == member.id
    assert AuditRecord.objects.filter(action="money.taken_over").count() == 1


def test_over_the_api_it_is_listed_and_assigned(committed_acme):
    inbound, intent = payments.held(reference="Inv 7"), payments.intent()
    shop = Partner(scopes=("suspense:read", "suspense:write"))
    url, name = "/v1/acme/inbound-receipts", ids.encode("ir", inbound.id)

    def assigned(payment_id, key):
        sent = json.dumps({"payment_id": payment_id, "reason": WHY})
        headers = {**shop.headers, "Idempotency-Key": key}
        kind = "application/json"
        return shop.inside(Client().post(f"{url}/{name}/assign", sent, content_type=kind, headers=headers))

    for asked, found in (({"reference": "INV-7"}, [name]), ({"status": "matched"}, [])):
        listed = shop.inside(Client().get(url, asked, headers=shop.headers)).json()["data"]
        assert [row["id"] for row in listed] == found
    refused(assigned(name, "k1"), 422, "validation_error")
    said = assigned(ids.encode("pi", intent.id), "k2").json()
    assert (said["status"], said["payment_id"]) == ("assigned", ids.encode("pi", intent.id))
    refused(assigned(ids.encode("pi", intent.id), "k3"), 409, "money_not_waiting")
    assert books() == PAID
