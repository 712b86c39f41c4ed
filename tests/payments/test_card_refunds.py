"""Refunds of cards: several parts of one payment, none too much, none twice, and one that comes back."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection, connections

from apps.access.contracts import LimitKind
from apps.access.selectors.limits import LimitExceeded
from apps.access.services import limits
from apps.approvals.contracts import CountedBy
from apps.integrations.models import ProviderCall
from apps.integrations.ports import ProviderDeclined, ProviderUnavailable, RefundOutcome, RefundReport
from apps.kit import ids
from apps.kit.actors import PROVIDER, SYSTEM, person
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.payments.contracts import REFUND, Choice, Method, RefundStatus
from apps.payments.models import Refund
from apps.payments.services import refund_limits, refunds, sendings
from tests.factories import access, approvals, payments
from tests.payments.conftest import balance, books, told

REFUNDS = "/v1/refunds"


def ask(attempt, minor=None, *, cards, **facts):
    money = None if minor is None else Money(minor, "USD")
    return refunds.create(
        intent_id=attempt.intent_id,
        money=money,
        reason="Returned goods",
        now=cards.now,
        **{"actor": SYSTEM, **facts},
    )


def done(refund, cards):
    refunds.request(refund_id=refund.id, now=cards.now)
    refunds.query(refund_id=refund.id, now=cards.now)
    return Refund.objects.select_related("attempt").get(id=refund.id)


def test_gives_parts_back_until_nothing_is_left(cards):
    attempt = cards.paid()

    first = done(ask(attempt, 10_00, cards=cards), cards)
    second = done(ask(attempt, cards=cards), cards)

    assert [(one.number, one.status, one.money.minor) for one in (first, second)] == [
        (1, RefundStatus.SUCCEEDED, 10_00),
        (2, RefundStatus.SUCCEEDED, 15_00),
    ]
    assert (second.attempt.refunded_minor, second.attempt.refund_pending_minor) == (25_00, 0)
    assert balance(AccountRole.UNAPPLIED_COLLECTIONS, "USD").is_zero
    assert balance(AccountRole.PROVIDER_BALANCE, "USD").text == cards.statement()["closing_balance"]
    with pytest.raises(refund_limits.AlreadyRefunded):
        ask(attempt, cards=cards)


def test_promises_no_more_than_is_left(cards):
    attempt = cards.paid()
    ask(attempt, 20_00, cards=cards)

    for minor, refusal in ((5_01, refund_limits.RefundTooLarge), (0, refund_limits.RefundTooSmall)):
        with pytest.raises(refusal):
            ask(attempt, minor, cards=cards)
    ask(attempt, 5_00, cards=cards)
    with pytest.raises(refund_limits.RefundInProgress):
        ask(attempt, 1, cards=cards)

    assert Refund.objects.count() == 2


def at_once(*deeds):
    """Do deeds from a connection each, and return what they returned or were refused with."""
    gate, found = Barrier(len(deeds)), []
    organisation = connection.tenant

    def run(deed):
        connection.set_tenant(organisation)
        gate.wait(5)
        try:
            found.append(deed())
        except refund_limits.RefundRefused as refusal:
            found.append(refusal)
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=[deed]) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return found


def test_two_at_once_do_not_promise_the_same_money(cards):
    attempt = cards.paid()

    found = at_once(*[lambda: ask(attempt, 20_00, cards=cards)] * 2)

    assert {type(one) for one in found} == {Refund, refund_limits.RefundTooLarge}
    assert Refund.objects.count() == 1


def test_many_parts_are_measured_together_by_what_a_role_asks_for(cards):
    attempt, owner = cards.paid(), person(access.member().user_id)
    wanted = {LimitKind.CREATE: (Money(15_00, "USD"),), LimitKind.APPROVE: ()}
    limits.put(code="owner", wanted=wanted, actor=SYSTEM, now=access.NOW)
    ask(attempt, 10_00, cards=cards, actor=owner)

    with pytest.raises(LimitExceeded, match=r"20\.00"):
        ask(attempt, 10_00, cards=cards, actor=owner)

    assert ask(attempt, 5_00, cards=cards, actor=owner).number == 2


@pytest.mark.parametrize("email", ["amina@example.com", ""])
def test_parts_to_one_payer_without_a_phone_are_counted_together(cards, email):
    approvals.rule(
        kind=REFUND.name,
        currency="USD",
        minimum_minor=15_00,
        window_hours=24,
        window_by=CountedBy.COUNTERPARTY,
    )
    attempt, owner = cards.paid(choice=Choice(Method.CARD, email=email)), person(access.member().user_id)

    first, second = (ask(attempt, 10_00, cards=cards, actor=owner) for _ in range(2))

    assert (first.status, second.status) == (RefundStatus.REQUESTED, RefundStatus.AWAITING_APPROVAL)


def test_a_dialog_that_is_sent_twice_makes_one_refund(cards):
    attempt, nonce = cards.paid(), ids.new()

    found = at_once(*[lambda: ask(attempt, 10_00, cards=cards, nonce=nonce)] * 2)

    assert {one.id for one in found} == {Refund.objects.get().id}
    assert ask(attempt, 10_00, cards=cards, nonce=ids.new()).number == 2


def test_sends_one_again_under_its_number_where_no_answer_came(cards):
    refund = ask(cards.paid(), 10_00, cards=cards)
    cards.script({"action": "reset", "processed": True}, path=REFUNDS)
    refunds.request(refund_id=refund.id, now=cards.now)
    assert Refund.objects.get(id=refund.id).status == RefundStatus.UNKNOWN

    cards.now += timedelta(seconds=30)
    refunds.query(refund_id=refund.id, now=cards.now)
    refunds.query(refund_id=refund.id, now=cards.now)

    assert Refund.objects.get(id=refund.id).status == RefundStatus.SUCCEEDED
    assert ProviderCall.objects.filter(kind="refund").count() == 2
    assert balance(AccountRole.PROVIDER_BALANCE, "USD").text == cards.statement()["closing_balance"]


def test_holds_the_money_while_only_the_repetition_was_refused(cards):
    attempt = cards.paid()
    refund = ask(attempt, 20_00, cards=cards)
    cards.script({"action": "reset", "processed": True}, path=REFUNDS)
    refunds.request(refund_id=refund.id, now=cards.now)
    cards.script({"action": "expire_token"}, path=REFUNDS)

    cards.now += timedelta(minutes=1)
    refunds.query(refund_id=refund.id, now=cards.now)
    refund = Refund.objects.get(id=refund.id)
    with pytest.raises(refund_limits.RefundTooLarge):
        ask(attempt, 20_00, cards=cards)

    assert (refund.status, refund.next_query_at > cards.now) == (RefundStatus.UNKNOWN, True)
    cards.now = refund.next_query_at
    refunds.query(refund_id=refund.id, now=cards.now)
    refunds.query(refund_id=refund.id, now=cards.now)
    assert Refund.objects.get(id=refund.id).status == RefundStatus.SUCCEEDED
    assert balance(AccountRole.PROVIDER_BALANCE, "USD").text == cards.statement()["closing_balance"]


def test_a_sender_that_never_left_says_nothing_of_a_refund_that_was_sent_again(cards):
    """The sweep gave the sender up, the refund was repeated without an answer, and only then the sender ends."""
    refund = ask(cards.paid(), 10_00, cards=cards)
    sendings.begin(refund_id=refund.id, now=cards.now)
    sendings.lose(refund_id=refund.id, now=cards.now)
    cards.script({"action": "reset", "processed": True}, path=REFUNDS)
    cards.now += timedelta(minutes=1)
    refunds.query(refund_id=refund.id, now=cards.now)
    assert len(cards.objects("refunds")) == 1

    for end, refusal in (
        (sendings.put_off, ProviderUnavailable("network_unreachable")),
        (sendings.decline, ProviderDeclined("invalid_credentials")),
    ):
        end(refund_id=refund.id, refusal=refusal, now=cards.now)

    assert Refund.objects.get(id=refund.id).status == RefundStatus.UNKNOWN
    cards.now += timedelta(minutes=2)
    refunds.query(refund_id=refund.id, now=cards.now)
    refunds.query(refund_id=refund.id, now=cards.now)
    assert Refund.objects.get(id=refund.id).status == RefundStatus.SUCCEEDED
    assert balance(AccountRole.PROVIDER_BALANCE, "USD").text == cards.statement()["closing_balance"]


def test_takes_back_what_was_booked_of_one_that_comes_back(cards):
    attempt = cards.paid()
    before = books_in_dollars()
    refund = done(ask(attempt, 10_00, cards=cards), cards)
    cards.act("refunds", refund.ticket, "fail")
    [failed] = cards.messages("refund.failed")

    assert cards.deliver(failed) == "APPLIED"
    refunds.query(refund_id=refund.id, now=cards.now)
    refunds.query(refund_id=refund.id, now=cards.now)

    refund = Refund.objects.select_related("attempt").get(id=refund.id)
    assert (refund.status, refund.is_refunded, refund.came_back_at) == (RefundStatus.FAILED, False, cards.now)
    assert (refund.attempt.refunded_minor, refund.attempt.refundable_minor) == (0, 25_00)
    assert books_in_dollars() == before
    assert balance(AccountRole.PROVIDER_BALANCE, "USD").text == cards.statement()["closing_balance"]
    assert told(refund.id) == ["refund_requested", "refund_succeeded", "refund_failed"]
    assert done(ask(attempt, cards=cards), cards).status == RefundStatus.SUCCEEDED
    assert balance(AccountRole.UNAPPLIED_COLLECTIONS, "USD").is_zero


def test_finds_one_that_came_back_without_a_message(cards):
    attempt = cards.paid()
    refund = done(ask(attempt, 10_00, cards=cards), cards)
    succeeded_at = refund.refunded_at
    assert refund.next_query_at == succeeded_at + timedelta(days=1)

    refunds.query(refund_id=refund.id, now=refund.next_query_at)
    refund = Refund.objects.get(id=refund.id)
    assert (refund.status, refund.next_query_at) == (
        RefundStatus.SUCCEEDED,
        succeeded_at + timedelta(days=3),
    )
    cards.act("refunds", refund.ticket, "fail")
    refunds.query(refund_id=refund.id, now=refund.next_query_at)

    refund = Refund.objects.get(id=refund.id)
    assert (refund.status, refund.next_query_at) == (RefundStatus.FAILED, None)
    assert balance(AccountRole.PROVIDER_BALANCE, "USD").text == cards.statement()["closing_balance"]


def books_in_dollars():
    return {role: balance(role, "USD") for role in AccountRole if not balance(role, "USD").is_zero}


def test_carries_a_refund_back_out_of_the_currency_it_was_settled_in(cards, street):
    cards.account.currency = "KES"
    cards.account.save()
    cards.open(street.callback_url, rates={"kes": "0.0077"})
    attempt = cards.paid(money=payments.KES_1500)

    for minor in (500_00, None):
        money = None if minor is None else Money(minor, "KES")
        refund = refunds.create(
            intent_id=attempt.intent_id, money=money, reason="Returned", actor=SYSTEM, now=cards.now
        )
        assert done(refund, cards).status == RefundStatus.SUCCEEDED

    assert balance(AccountRole.PROVIDER_BALANCE, "USD").text == cards.statement()["closing_balance"]
    assert books() == {}
    assert set(books_in_dollars()) == {AccountRole.PROVIDER_BALANCE, AccountRole.PROVIDER_FEES}

    before = books_in_dollars()[AccountRole.PROVIDER_FEES]
    told = RefundReport(refund.ticket, RefundOutcome.REFUNDED, money=refund.money, charge=Money(30, "USD"))
    refunds.record(refund_id=refund.id, report=told, actor=PROVIDER, now=cards.now)
    assert books() == {}
    assert books_in_dollars()[AccountRole.PROVIDER_FEES] == before + Money(30, "USD")
