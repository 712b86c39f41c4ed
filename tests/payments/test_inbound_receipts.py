"""Inbound receipts: money that comes unasked is seen once, booked once, and is of a payment or waits for a person."""

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from apps.integrations.contracts import ShortCodeType
from apps.integrations.models import CallbackProcessing, ProviderAccount
from apps.integrations.ports import InboundReport
from apps.kit import ids
from apps.kit.actors import PROVIDER, SYSTEM
from apps.kit.money import Money
from apps.ledger.selectors import accounts as ledger
from apps.payments.contracts import CollectionTerms, InboundSource, InboundStatus, IntentStatus, Recorded
from apps.payments.models import InboundReceipt
from apps.payments.services import inbound_receipts, intents, policies
from apps.payments.services.reports import MoneyUnexplained, ReportContradicts
from tests.factories import access, payments
from tests.payments.conftest import bookings, books, deliver, is_untouched, told
from tests.payments.test_two_connections import at_once

NOW = payments.NOW + timedelta(seconds=30)
RECEIPT = "SKH1XY7PQ2"
HASHED = "8d969eef6ecad3c29a3a629280e686cf0c3f5d5a86aff3ca12020c923adc6c92"


def notice(reference, **facts):
    return InboundReport(
        **{
            "receipt": RECEIPT,
            "money": payments.KES_1500,
            "reference": reference,
            "payer": "2547 ***** 678",
            "payer_name": "NJERI",
            "kind": "Pay Bill",
            "occurred_at": payments.NOW,
            **facts,
        }
    )


def take(found, account=None, source=InboundSource.CONFIRMATION, now=NOW):
    account = account or ProviderAccount.objects.order_by("id").first()
    recorded, inbound = inbound_receipts.record(
        account_id=account.id, notice=found, phone="", source=source, actor=PROVIDER, now=now
    )
    inbound.refresh_from_db()
    return recorded, inbound


def stk(attempt, *, now=NOW, **facts):
    report = payments.collected(attempt, **{"receipt": RECEIPT, **facts})
    return intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=now)


def c2b(reference, account, **facts):
    """Return a confirmation in Safaricom's words."""
    return {
        "TransactionType": "Pay Bill",
        "TransID": RECEIPT,
        "TransTime": "20261124104000",
        "TransAmount": "1500.00",
        "BusinessShortCode": account.short_code,
        "BillRefNumber": reference,
        "OrgAccountBalance": "49197.00",
        "MSISDN": "2547 ***** 678",
        "FirstName": "NJERI",
        **facts,
    }


@pytest.fixture(autouse=True)
def portal(request):
    """Money that is of no payment is of the application that people work through."""
    request.getfixturevalue("committed_acme" if "committed_acme" in request.fixturenames else "acme")
    access.portal()


PAID = {"PROVIDER_BALANCE": "1492.50", "PROVIDER_FEES": "7.50", "UNAPPLIED_COLLECTIONS": "1500.00"}
HELD = {"PROVIDER_BALANCE": "1492.50", "PROVIDER_FEES": "7.50", "SUSPENSE": "1500.00"}


@pytest.mark.parametrize("confirm", [True, False])
@pytest.mark.parametrize("typed", [str, str.lower, lambda code: f" {code[:5]} {code[5:]} ", "-".join])
def test_the_code_of_an_intent_settles_it_however_it_is_typed(acme, typed, confirm):
    intent = payments.intent(is_confirmed=confirm)

    recorded, inbound = take(notice(typed(intent.code)))

    intent = payments.reload(intent.id)
    assert (recorded, inbound.status, inbound.intent_id) == (
        Recorded.APPLIED,
        InboundStatus.MATCHED,
        intent.id,
    )
    assert (intent.status, intent.current_attempt.provider_receipt) == (IntentStatus.SUCCEEDED, RECEIPT)
    assert inbound.application_id == intent.application_id
    assert told(intent.id) == ["payment_intent_created", "payment_captured", "payment_success"]
    assert (bookings(), books()) == (1, PAID)


@pytest.mark.parametrize("first", ["stk", "c2b"])
def test_two_messages_of_one_payment_are_one_booking(acme, first):
    attempt = payments.waiting()
    if first == "stk":
        assert (stk(attempt), take(notice(attempt.code))[0]) == (Recorded.APPLIED, Recorded.DUPLICATE)
    else:
        assert (take(notice(attempt.code))[0], stk(attempt)) == (Recorded.APPLIED, Recorded.DUPLICATE)

    assert InboundReceipt.objects.get().attempt_id == attempt.id
    assert payments.reload(attempt.intent_id).status == IntentStatus.SUCCEEDED
    assert (bookings(), books()) == (1, PAID)


@pytest.mark.parametrize("first", ["stk", "c2b"])
def test_a_receipt_without_a_reference_finds_its_payment_in_either_order(acme, first):
    attempt = payments.waiting()
    if first == "stk":
        stk(attempt)
        recorded, inbound = take(notice(""))
        assert recorded == Recorded.DUPLICATE
    else:
        _, inbound = take(notice(""))
        assert (inbound.status, books()) == (InboundStatus.SUSPENSE, HELD)
        stk(attempt)

    inbound.refresh_from_db()
    assert (inbound.status, inbound.attempt_id) == (InboundStatus.MATCHED, attempt.id)
    assert books() == PAID


@pytest.mark.parametrize("first", ["poll", "c2b"])
def test_a_lost_callback_and_a_receipt_without_a_reference_are_one_payment(acme, first):
    attempt = payments.waiting()
    if first == "poll":
        stk(attempt, receipt="", money=None)
        recorded, inbound = take(notice(""))
        assert recorded == Recorded.APPLIED
    else:
        inbound = take(notice(""))[1]
        stk(attempt, receipt="", money=None)

    inbound.refresh_from_db()
    assert (inbound.status, inbound.attempt_id) == (InboundStatus.MATCHED, attempt.id)
    assert payments.reloaded(attempt).provider_receipt == RECEIPT
    assert books() == PAID


def test_a_receipt_that_may_be_of_two_payments_is_booked_by_neither_again_and_learns_whose_it_is(acme):
    first, second = payments.waiting(), payments.waiting()
    for attempt in (first, second):
        stk(attempt, receipt="", money=None)
    before = books()

    recorded, inbound = take(notice(""))
    assert (recorded, inbound.status, inbound.attempt_id) == (
        Recorded.DUPLICATE,
        InboundStatus.MATCHED,
        first.id,
    )
    assert payments.reloaded(first).provider_receipt == ""
    assert books() == before

    stk(second)
    inbound.refresh_from_db()
    assert (inbound.attempt_id, inbound.intent_id) == (second.id, second.intent_id)
    _, other = take(notice("", receipt="SKH0000002"))
    assert (other.attempt_id, payments.reloaded(first).provider_receipt) == (first.id, "SKH0000002")
    assert books() == before


def test_a_till_of_the_same_store_has_its_own_money(acme):
    first, second = (
        payments.account(
            short_code="600999",
            short_code_type=ShortCodeType.TILL,
            till_number=number,
            branch_id=branch.id,
        )
        for number, branch in (("700001", access.head_office()), ("700002", access.branch()))
    )

    _, inbound = take(notice("", paid_to="700002"), first)

    assert inbound.provider_account_id == second.id
    with pytest.raises(ReportContradicts):
        take(notice("", receipt="SKH0000002", paid_to="700003"), first)


def of_branch(branch_id):
    """Return the balances of a branch that are not zero, in KES."""
    found = ledger.with_balances(branch_id=branch_id, currency="KES")
    return {line.role.value: line.balance.text for line in found if not line.balance.is_zero}


def store():
    """Return the paybill that lists a store's money, and a till of the store."""
    paybill = payments.account(short_code="600999")
    till = payments.account(
        short_code="600999",
        short_code_type=ShortCodeType.TILL,
        till_number="700001",
        branch_id=access.branch().id,
    )
    return paybill, till


def test_what_a_till_was_told_of_is_booked_no_second_time_by_the_list_of_its_store(acme):
    paybill, till = store()
    take(notice("", paid_to="700001"), paybill)

    recorded, inbound = take(notice(""), paybill, InboundSource.PULL)

    assert (recorded, inbound.provider_account_id) == (Recorded.DUPLICATE, till.id)
    assert (inbound.sources, bookings(), books()) == (["CONFIRMATION", "PULL"], 1, HELD)


@pytest.mark.parametrize("first", ["stk", "list"])
def test_a_prompt_of_a_till_and_the_list_of_its_store_are_one_payment(acme, first):
    paybill, till = store()
    attempt = payments.waiting(branch_id=till.branch_id)
    assert attempt.provider_account_id == till.id
    if first == "stk":
        stk(attempt)
        recorded, inbound = take(notice(""), paybill, InboundSource.PULL)
        assert recorded == Recorded.DUPLICATE
    else:
        _, inbound = take(notice(""), paybill, InboundSource.PULL)
        assert (inbound.provider_account_id, inbound.status) == (paybill.id, InboundStatus.SUSPENSE)
        stk(attempt)

    inbound.refresh_from_db()
    assert (inbound.status, inbound.attempt_id) == (InboundStatus.MATCHED, attempt.id)
    assert books() == PAID
    assert of_branch(till.branch_id) == PAID


def test_the_code_of_a_till_is_known_where_its_store_is_told(acme):
    paybill, till = store()
    attempt = payments.waiting(branch_id=till.branch_id)

    recorded, inbound = take(notice(attempt.code), paybill)

    assert (recorded, inbound.attempt_id) == (Recorded.APPLIED, attempt.id)
    assert (bookings(), of_branch(till.branch_id)) == (1, PAID)


def test_a_receipt_of_one_account_is_not_of_another_that_is_none_of_its_store(acme):
    first, other = payments.account(), payments.account(branch_id=access.branch().id)
    attempt = payments.waiting()
    take(notice(""), other)

    with pytest.raises(ReportContradicts):
        take(notice(""), first)
    with pytest.raises(MoneyUnexplained):
        stk(attempt)

    inbound = InboundReceipt.objects.get()
    assert (inbound.provider_account_id, inbound.sources) == (other.id, ["CONFIRMATION"])
    assert (bookings(), books(), payments.reloaded(attempt).is_booked) == (1, HELD, False)
    inbound.id, inbound.provider_account = ids.new(), first
    with pytest.raises(IntegrityError, match="inbound_receipt_once"), transaction.atomic():
        inbound.save(force_insert=True)


def test_money_that_was_booked_before_its_receipt_was_known_is_booked_no_second_time(acme):
    attempt = payments.waiting()
    stk(attempt, receipt="", money=None)
    _, inbound = take(notice("", payer="2541 ***** 111"))
    assert books()["PROVIDER_BALANCE"] == "2985.00"

    stk(attempt)

    inbound.refresh_from_db()
    assert (inbound.status, inbound.attempt_id) == (InboundStatus.RETRACTED, attempt.id)
    assert books() == PAID


@pytest.mark.parametrize("first", ["stk", "c2b"])
def test_one_receipt_in_two_sums_is_booked_once_and_for_people(acme, first):
    attempt = payments.waiting()
    account, shilling = ProviderAccount.objects.get(), Money(1_00, "KES")
    if first == "stk":
        stk(attempt, money=shilling)
    else:
        take(notice(""))
    before = books()

    if first == "stk":
        body = c2b(attempt.code, account)
        verdicts = [deliver(account.callback_token, "c2b", body) for _ in range(2)]
        assert verdicts == ["UNMATCHED"] * 2
        assert not InboundReceipt.objects.exists()
        assert payments.reloaded(attempt).unexplained_receipt == RECEIPT
    else:
        with pytest.raises(MoneyUnexplained):
            stk(attempt, money=shilling)
        assert InboundReceipt.objects.get().is_waiting
        assert not payments.reloaded(attempt).is_booked

    assert (bookings(), books()) == (1, before)


@pytest.mark.parametrize("reference", ["", "INV-7", "ORDER 12"])
def test_what_matches_nothing_waits_in_suspense_with_an_owner(acme, reference):
    payments.account()
    owner = access.member("treasury_officer")

    recorded, inbound = take(notice(reference))

    assert (recorded, inbound.status, inbound.owner_id) == (
        Recorded.APPLIED,
        InboundStatus.SUSPENSE,
        owner.id,
    )
    assert told(inbound.id) == ["money_unmatched"]
    assert (bookings(), books()) == (1, HELD)


def test_second_money_for_a_paid_payment_is_suspected_and_booked(acme):
    attempt = payments.waiting()
    stk(attempt, receipt="NLJ7RT61SV")
    intent = payments.reload(attempt.intent_id)

    for receipt, reference in (("SKH0000002", attempt.code), ("SKH0000003", intent.code)):
        _, inbound = take(notice(reference, receipt=receipt))
        assert (inbound.status, inbound.intent_id) == (InboundStatus.DUPLICATE_SUSPECTED, intent.id)

    assert books() == {
        "PROVIDER_BALANCE": "4477.50",
        "PROVIDER_FEES": "22.50",
        "SUSPENSE": "3000.00",
        "UNAPPLIED_COLLECTIONS": "1500.00",
    }


def test_the_same_sum_of_the_same_payer_under_one_reference_within_a_day_is_suspected(acme):
    payments.account()
    take(notice("inv 7"))

    alike = take(notice("INV-7", receipt="SKH0000002"))[1]
    of_another = take(notice("INV-7", receipt="SKH0000003", payer="2541 ***** 111"))[1]
    later = take(notice("INV-7", receipt="SKH0000004"), now=NOW + timedelta(hours=25))[1]

    assert [one.status for one in (alike, of_another, later)] == [
        InboundStatus.DUPLICATE_SUSPECTED,
        InboundStatus.SUSPENSE,
        InboundStatus.SUSPENSE,
    ]


PHONE = "254712345678"
OWN_HASH, OTHER_HASH = (hashlib.sha256(number.encode()).hexdigest() for number in (PHONE, "254112345111"))


@pytest.mark.parametrize(
    ("first", "second", "is_suspected"),
    [
        (PHONE, "2547 ***** 678", True),
        ("2547 ***** 678", PHONE, True),
        (PHONE, OWN_HASH, True),
        (OWN_HASH, PHONE, True),
        (OWN_HASH, OWN_HASH, True),
        (OWN_HASH, OTHER_HASH, False),
        (PHONE, OTHER_HASH, False),
        (PHONE, "2541 ***** 111", False),
        ("", PHONE, False),
        (PHONE, "", False),
    ],
)
def test_the_same_payer_is_suspected_however_his_number_is_told(acme, first, second, is_suspected):
    payments.account()
    take(notice("INV-7", payer=first))

    _, inbound = take(notice("INV-7", receipt="SKH0000002", payer=second))

    assert inbound.status == (InboundStatus.DUPLICATE_SUSPECTED if is_suspected else InboundStatus.SUSPENSE)


def test_a_payer_is_suspected_for_as_long_as_the_organisation_says(acme):
    payments.account()
    terms = CollectionTerms(repeated_within_hours=2)
    policies.choose(terms=terms, reason="Rent is paid weekly.", actor=SYSTEM, now=NOW)
    take(notice("INV-7"))

    late = take(notice("INV-7", receipt="SKH0000002"), now=NOW + timedelta(hours=2, seconds=1))[1]
    soon = take(notice("INV-7", receipt="SKH0000003"), now=NOW + timedelta(hours=4))[1]

    assert [late.status, soon.status] == [InboundStatus.SUSPENSE, InboundStatus.DUPLICATE_SUSPECTED]
    assert soon.reason == "Who may be the same payer paid this sum under this reference within 2 hours."


def test_another_sum_leaves_the_payment_in_review_and_the_money_in_suspense(acme):
    intent = payments.intent()

    _, inbound = take(notice(intent.code, money=Money(1400_00, "KES")))

    assert payments.reload(intent.id).status == IntentStatus.IN_REVIEW
    assert (inbound.status, inbound.intent_id) == (InboundStatus.MATCHED, intent.id)
    assert books()["SUSPENSE"] == "1400.00"


def test_money_for_a_closed_payment_is_a_late_success(acme):
    intent = payments.intent()
    intents.cancel(intent_id=intent.id, actor=PROVIDER, now=payments.NOW)

    take(notice(intent.code))

    intent = payments.reload(intent.id)
    assert (intent.status, intent.is_late) == (IntentStatus.SUCCEEDED, True)


def test_the_prompt_that_is_paid_after_the_paybill_is_a_surplus(acme):
    attempt = payments.waiting()
    take(notice(payments.reload(attempt.intent_id).code))

    stk(attempt, receipt="NLJ7RT61SV")

    assert payments.reloaded(attempt).is_in_suspense is True
    assert books()["SUSPENSE"] == "1500.00"


@pytest.mark.parametrize(
    ("payer", "phone"),
    [("254712345678", "+254712345678"), ("2547 ***** 678", ""), (HASHED, "")],
)
def test_reads_the_payer_in_clear_masked_or_hashed(acme, payer, phone):
    intent = payments.intent(is_confirmed=False, choice=None)
    account = ProviderAccount.objects.get()

    verdict = deliver(account.callback_token, "c2b", c2b(intent.code, account, MSISDN=payer))

    intent = payments.reload(intent.id)
    assert (verdict, intent.status, intent.payer_phone) == ("APPLIED", IntentStatus.SUCCEEDED, phone)
    assert (intent.method, InboundReceipt.objects.get().payer) == ("MPESA", payer)
    assert CallbackProcessing.objects.get().subject_id == intent.current_attempt_id
    assert deliver(account.callback_token, "c2b", c2b(intent.code, account)) == "DUPLICATE"
    assert bookings() == 1


def test_keeps_and_flags_what_cannot_be_true(acme):
    account = payments.account()
    token = account.callback_token

    assert deliver("0" * 32, "c2b", c2b("A", account)) == "FORGED"
    assert deliver(token, "c2b", c2b("A", account, BusinessShortCode="600000")) == "FORGED"
    assert deliver(token, "c2b", c2b("A", account, TransAmount="-5")) == "MALFORMED"
    assert deliver(token, "c2b", [1]) == "MALFORMED"
    assert deliver(token, "balance-of-yesterday", {}) == "IGNORED"
    assert is_untouched()
    assert not InboundReceipt.objects.exists()

    take(notice("A"), account)
    with pytest.raises(ReportContradicts):
        take(notice("A", money=Money(99_00, "KES")), account)
    assert InboundReceipt.objects.get().money == payments.KES_1500


def test_the_same_receipt_from_whomever_is_one_row_that_learns(acme):
    payments.account()
    first = replace(notice("", occurred_at=None), payer="", payer_name="")
    take(first, source=InboundSource.PULL)

    assert take(notice("INV-7"))[0] == Recorded.DUPLICATE
    assert take(notice("INV-8"))[0] == Recorded.DUPLICATE

    inbound = InboundReceipt.objects.get()
    assert (inbound.sources, inbound.reference, inbound.payer_name) == (
        ["PULL", "CONFIRMATION"],
        "INV-7",
        "NJERI",
    )
    assert bookings() == 1


def test_a_reference_that_is_told_later_finds_the_payment(acme):
    intent = payments.intent()
    take(notice(""), source=InboundSource.PULL)

    recorded, inbound = take(notice(intent.code))

    assert (recorded, inbound.status, inbound.intent_id) == (
        Recorded.APPLIED,
        InboundStatus.MATCHED,
        intent.id,
    )
    assert payments.reload(intent.id).status == IntentStatus.SUCCEEDED
    assert books() == PAID


def test_the_code_of_an_attempt_of_another_account_is_not_of_this_one(acme):
    attempt = payments.waiting()
    other = payments.account(branch_id=access.branch().id)

    _, inbound = take(notice(attempt.code), other)

    assert (inbound.status, inbound.branch_id) == (InboundStatus.SUSPENSE, other.branch_id)


def test_nothing_is_kept_when_the_booking_fails(acme, monkeypatch):
    def broken(**_):
        raise RuntimeError("the database went away")

    intent = payments.intent()
    monkeypatch.setattr("apps.ledger.services.journals.post", broken)

    for reference in (intent.code, "INV-7"):
        with pytest.raises(RuntimeError):
            take(notice(reference))

    assert not InboundReceipt.objects.exists()
    assert payments.reload(intent.id).status == IntentStatus.PROCESSING


def test_both_messages_at_once_are_one_booking(committed_acme):
    attempt = payments.waiting()
    account = ProviderAccount.objects.get()
    both = (lambda: stk(attempt), lambda: take(notice(attempt.code), account)[0])

    results = at_once(*both, *both)

    assert sorted(results) == [Recorded.APPLIED, *[Recorded.DUPLICATE] * 3]
    assert (bookings(), InboundReceipt.objects.count(), books()) == (1, 1, PAID)


def test_a_till_its_prompt_and_the_list_of_its_store_at_once_are_one_booking(committed_acme):
    paybill, till = store()
    attempt = payments.waiting(branch_id=till.branch_id)
    told = lambda: take(notice("", paid_to="700001"), paybill)[0]  # noqa: E731 (called by threads)
    listed = lambda: take(notice(""), paybill, InboundSource.PULL)[0]  # noqa: E731 (called by threads)

    at_once(lambda: stk(attempt), told, listed)

    inbound = InboundReceipt.objects.get()
    assert (inbound.status, inbound.attempt_id) == (InboundStatus.MATCHED, attempt.id)
    assert (books(), of_branch(till.branch_id)) == (PAID, PAID)


def test_a_receipt_without_a_reference_and_its_callback_at_once_end_with_the_payment(committed_acme):
    attempt = payments.waiting()
    account = ProviderAccount.objects.get()

    at_once(lambda: stk(attempt), lambda: take(notice(""), account)[0])

    assert InboundReceipt.objects.get().attempt_id == attempt.id
    assert books() == PAID
