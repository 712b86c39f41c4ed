"""Stores: what one account of a store is told of money of another is one payment, reviewed, given back and refused as one."""

from datetime import timedelta

import pytest

from apps.integrations.contracts import CallbackStatus, ShortCodeType
from apps.integrations.ports import InboundCheck, NudgeKind, StatementRow
from apps.kit.actors import PROVIDER, SYSTEM
from apps.kit.money import Money
from apps.payments.contracts import (
    CollectionTerms,
    InboundSource,
    InboundStatus,
    IntentStatus,
    LateMoney,
    Recorded,
)
from apps.payments.contracts.listed import ListedMatter
from apps.payments.models import InboundReceipt, ListedMovement
from apps.payments.selectors import listed_movements as listed
from apps.payments.services import (
    evidence,
    inbound_checks,
    intents,
    policies,
    refunds,
    resolutions,
    reviews,
    sendings,
)
from apps.payments.services.reports import MoneyUnexplained
from tests.factories import access, payments
from tests.factories import refunds as made
from tests.payments.conftest import bookings, books, deliver
from tests.payments.test_inbound_receipts import (
    HELD,
    NOW,
    PAID,
    RECEIPT,
    c2b,
    notice,
    of_branch,
    stk,
    store,
    take,
)
from tests.payments.test_two_connections import at_once

WHY = "Agreed with the payer."
SHORT = Money(900_00, "KES")
HELD_SHORT = {"PROVIDER_BALANCE": "895.50", "PROVIDER_FEES": "4.50", "SUSPENSE": "900.00"}
GONE_SHORT = {"PROVIDER_BALANCE": "-4.50", "PROVIDER_FEES": "4.50"}


@pytest.fixture(autouse=True)
def portal(request):
    request.getfixturevalue("committed_acme" if "committed_acme" in request.fixturenames else "acme")
    access.portal()


@pytest.fixture
def accounts(portal):
    """The paybill of a store at head office, and its till at a branch."""
    return store()


def of_till(till, **facts):
    attempt = payments.waiting(branch_id=till.branch_id, **facts)
    assert attempt.provider_account_id == till.id
    return attempt


def short_by_code(paybill, attempt):
    """The paybill is told of another sum under the code of the till's prompt."""
    take(notice(attempt.code, money=SHORT), paybill)


def short_from_suspense(paybill, attempt):
    """The paybill lists another sum, which is in suspense until the till's prompt tells its receipt."""
    take(notice("", money=SHORT), paybill, InboundSource.PULL)
    stk(attempt, money=SHORT)


def short_retracted(paybill, attempt):
    """The till's prompt is confirmed in another sum without a receipt, and the paybill lists it before that is told."""
    stk(attempt, receipt="", money=SHORT)
    take(notice("", money=SHORT, payer="2541 ***** 111"), paybill, InboundSource.PULL)
    stk(attempt, money=SHORT)
    assert InboundReceipt.objects.get().status == InboundStatus.RETRACTED


SHORTS = [short_by_code, short_from_suspense, short_retracted]


def close(attempt):
    return reviews.close(intent_id=attempt.intent_id, reason=WHY, actor=SYSTEM, now=NOW)


def give_back(inbound):
    return resolutions.give_back(inbound_id=inbound.id, reason=WHY, actor=SYSTEM, now=NOW)


def of_branches(*accounts):
    return [of_branch(one.branch_id) for one in accounts]


@pytest.mark.parametrize("fee_bps", [50, 100])
@pytest.mark.parametrize("short", SHORTS)
def test_a_closed_review_has_its_money_wait_at_the_account_that_was_told_of_it(
    acme, accounts, short, fee_bps
):
    paybill, till = accounts
    type(till).objects.filter(id=till.id).update(fee_bps=fee_bps)
    attempt = of_till(till)
    short(paybill, attempt)
    of_prompt = payments.reloaded(attempt)
    assert (of_prompt.intent.status, of_prompt.received) == (IntentStatus.IN_REVIEW, SHORT)
    at_paybill, at_till = of_branches(*accounts)
    assert (at_paybill, at_till["SUSPENSE"]) == ({}, "900.00")

    intent = close(attempt)

    inbound = InboundReceipt.objects.get()
    assert (intent.status, inbound.status, inbound.provider_account_id) == (
        IntentStatus.FAILED,
        InboundStatus.SUSPENSE,
        paybill.id,
    )
    net, fee = (SHORT - inbound.fee).text, inbound.fee.text
    held = {"PROVIDER_BALANCE": net, "PROVIDER_FEES": fee, "SUSPENSE": "900.00"}
    assert of_branches(*accounts) == [held, {}]

    refund = sendings.begin(refund_id=give_back(inbound).id, now=NOW)
    report = made.given_back(refund)
    for recorded in (Recorded.APPLIED, Recorded.DUPLICATE):
        assert refunds.record(refund_id=refund.id, report=report, actor=PROVIDER, now=NOW) == recorded
    gone = {"PROVIDER_BALANCE": f"-{fee}", "PROVIDER_FEES": fee}
    assert of_branches(*accounts) == [gone, {}]


@pytest.mark.parametrize("short", SHORTS)
def test_money_of_a_closed_review_is_given_to_a_payment_of_another_account_of_the_store(
    acme, accounts, short
):
    paybill, till = accounts
    other = payments.account(
        short_code="600999",
        short_code_type=ShortCodeType.TILL,
        till_number="700002",
        branch_id=access.branch("KSM", "Kisumu").id,
    )
    attempt = of_till(till)
    short(paybill, attempt)
    close(attempt)
    wanted = payments.waiting(branch_id=other.branch_id, money=SHORT)
    inbound = InboundReceipt.objects.get()

    resolutions.assign(inbound_id=inbound.id, intent_id=wanted.intent_id, reason=WHY, actor=SYSTEM, now=NOW)

    assert payments.reload(wanted.intent_id).status == IntentStatus.SUCCEEDED
    assert books() == {
        "PROVIDER_BALANCE": "895.50",
        "PROVIDER_FEES": "4.50",
        "UNAPPLIED_COLLECTIONS": "900.00",
    }
    assert of_branch(till.branch_id) == {}


@pytest.mark.parametrize("short", SHORTS)
def test_a_refund_that_went_after_all_takes_its_money_back_from_the_account_where_it_waits(
    acme, accounts, short
):
    paybill, till = accounts
    attempt = of_till(till)
    short(paybill, attempt)
    refund = refunds.give_back(attempt_id=attempt.id, reason=WHY, actor=SYSTEM, now=NOW)
    refund = sendings.begin(refund_id=refund.id, now=NOW)
    refunds.record(refund_id=refund.id, report=made.declined(refund), actor=PROVIDER, now=NOW)
    close(attempt)
    assert of_branches(*accounts) == [HELD_SHORT, {}]

    report = made.given_back(refund, receipt="NLR0LATE01")
    refunds.record(refund_id=refund.id, report=report, actor=PROVIDER, now=NOW)

    inbound = InboundReceipt.objects.get()
    assert (inbound.status, inbound.attempt_id) == (InboundStatus.GIVING_BACK, attempt.id)
    assert of_branches(*accounts) == [{}, GONE_SHORT]


def test_two_people_close_a_review_of_a_store_once(committed_acme):
    paybill, till = store()
    attempt = of_till(till)
    short_by_code(paybill, attempt)

    results = at_once(*[lambda: close(attempt)] * 2)

    assert sorted(type(one).__name__ for one in results) == ["InvalidState", "PaymentIntent"]
    assert of_branches(paybill, till) == [HELD_SHORT, {}]


def test_a_review_that_cannot_be_booked_stays_as_it_was(acme, accounts, monkeypatch):
    def broken(**_):
        raise RuntimeError("the database went away")

    paybill, till = accounts
    attempt = of_till(till)
    short_by_code(paybill, attempt)
    before = InboundReceipt.objects.values().get()
    monkeypatch.setattr("apps.ledger.services.journals.post", broken)

    with pytest.raises(RuntimeError):
        close(attempt)

    assert payments.reload(attempt.intent_id).status == IntentStatus.IN_REVIEW
    assert InboundReceipt.objects.values().get() == before


def test_late_money_of_a_till_that_its_store_was_told_of_is_closed_and_given_back(acme, accounts):
    paybill, till = accounts
    terms = CollectionTerms(late_money=LateMoney.SUSPENSE)
    policies.choose(terms=terms, reason="People look at it.", actor=SYSTEM, now=NOW)
    attempt = of_till(till)
    intents.record(attempt_id=attempt.id, report=payments.declined(attempt), actor=PROVIDER, now=payments.NOW)
    take(notice(attempt.code), paybill)
    assert of_branches(*accounts) == [{}, HELD]

    close(attempt)

    assert of_branches(*accounts) == [HELD, {}]
    give_back(InboundReceipt.objects.get())


@pytest.mark.parametrize("first", ["poll", "list"])
def test_a_prompt_of_a_till_that_tells_no_receipt_and_the_list_of_its_store_are_one_payment(
    acme, accounts, first
):
    paybill, till = accounts
    attempt = of_till(till)
    if first == "poll":
        stk(attempt, receipt="", money=None)
        recorded, inbound = take(notice(""), paybill)
        assert recorded == Recorded.APPLIED
    else:
        inbound = take(notice(""), paybill)[1]
        stk(attempt, receipt="", money=None)

    inbound.refresh_from_db()
    assert (inbound.status, inbound.attempt_id) == (InboundStatus.MATCHED, attempt.id)
    assert payments.reloaded(attempt).provider_receipt == RECEIPT
    assert of_branches(*accounts) == [{}, PAID]


def test_halves_of_one_store_change_places_across_its_accounts(acme, accounts):
    paybill, till = accounts
    first, second = of_till(till), of_till(till)
    for attempt in (first, second):
        stk(attempt, receipt="", money=None)
    inbound = take(notice(""), paybill)[1]
    other = take(notice("", receipt="SKH0000002", paid_to="700001"), paybill)[1]
    assert (inbound.attempt_id, other.attempt_id) == (first.id, second.id)

    stk(second)

    for row, attempt in ((inbound, second), (other, first)):
        row.refresh_from_db()
        assert (row.status, row.attempt_id) == (InboundStatus.MATCHED, attempt.id)
    assert of_branches(*accounts)[0] == {}
    assert books()["UNAPPLIED_COLLECTIONS"] == "3000.00"


def test_money_that_may_be_of_a_prompt_of_the_stores_till_is_given_to_that_one_only(acme, accounts):
    paybill, till = accounts
    attempt = of_till(till)
    inbound = take(notice(""), paybill)[1]

    with pytest.raises(resolutions.MayBeOfAnother):
        give_back(inbound)
    resolutions.assign(inbound_id=inbound.id, intent_id=attempt.intent_id, reason=WHY, actor=SYSTEM, now=NOW)

    assert payments.reloaded(attempt).provider_receipt == RECEIPT
    assert payments.reload(attempt.intent_id).current_attempt_id == attempt.id
    assert stk(attempt) == Recorded.DUPLICATE
    assert of_branches(*accounts) == [{}, PAID]


def test_a_prompt_of_a_till_that_two_receipts_of_its_store_may_be_of_learns_the_one_that_people_say(
    acme, accounts
):
    paybill, till = accounts
    attempt = of_till(till)
    rows = [take(notice("", receipt=each), paybill)[1] for each in (RECEIPT, "SKH0000002")]
    assert stk(attempt, receipt="", money=None) == Recorded.IGNORED
    a_day_later = NOW + timedelta(hours=25)

    resolutions.assign(
        inbound_id=rows[1].id, intent_id=attempt.intent_id, reason=WHY, actor=SYSTEM, now=a_day_later
    )

    assert payments.reloaded(attempt).provider_receipt == "SKH0000002"
    assert payments.reload(attempt.intent_id).attempts.count() == 1
    assert of_branches(*accounts) == [HELD, PAID]


def test_a_store_accepts_the_code_of_a_prompt_of_its_till_and_refuses_others(
    acme, accounts, django_assert_max_num_queries
):
    paybill, till = accounts
    elsewhere = payments.account()
    attempt = of_till(till)
    policies.choose(
        terms=CollectionTerms(refuses_unknown=True, refuses_other_sums=True),
        reason=WHY,
        actor=SYSTEM,
        now=NOW,
    )

    def answer(account, **facts):
        with django_assert_max_num_queries(2):
            return inbound_checks.decide(account_id=account.id, report=notice(attempt.code, **facts), now=NOW)

    assert answer(paybill) is answer(till) is InboundCheck.ACCEPT
    assert answer(paybill, money=SHORT) is InboundCheck.BAD_AMOUNT
    assert answer(elsewhere) is InboundCheck.BAD_ACCOUNT


def listed_row(**facts):
    return StatementRow(
        **{
            "receipt": RECEIPT,
            "money": payments.KES_1500,
            "reference": "",
            "payer": "2547 ***** 678",
            "told_at": "",
            "kind": "c2b-pay-bill-debit",
            **facts,
        }
    )


def test_a_receipt_that_is_known_elsewhere_is_for_people_however_it_is_told(acme):
    own, elsewhere = payments.account(), payments.account(branch_id=access.branch().id)
    take(notice(""), elsewhere)

    with pytest.raises(MoneyUnexplained):
        take(notice(""), own)
    assert deliver(own.callback_token, "c2b", c2b("", own)) == CallbackStatus.UNMATCHED
    for _ in range(2):
        assert evidence.take(account_id=own.id, row=listed_row(), now=NOW) is None

    movement = ListedMovement.objects.get()
    assert (movement.provider_account_id, movement.receipt, movement.money) == (
        own.id,
        RECEIPT,
        payments.KES_1500,
    )
    assert (movement.matter, movement.about, movement.is_open) == (
        ListedMatter.NOBODYS,
        NudgeKind.COLLECTION,
        True,
    )
    assert not listed.explained().exists()
    assert (bookings(), books(), InboundReceipt.objects.count()) == (1, HELD, 1)


def test_a_receipt_that_a_payment_elsewhere_is_booked_under_calls_for_people_there_too(acme):
    own, elsewhere = payments.account(branch_id=access.branch().id), payments.account()
    attempt = payments.waiting()
    assert attempt.provider_account_id == elsewhere.id
    take(notice(attempt.code), elsewhere)

    assert deliver(own.callback_token, "c2b", c2b("", own)) == CallbackStatus.UNMATCHED

    assert payments.reloaded(attempt).unexplained_receipt == RECEIPT
    assert (bookings(), books()) == (1, PAID)
