"""Scenarios of money that is asked for: what the payer does, what the answer and the callback do, and who dies meanwhile."""

from datetime import timedelta

import pytest

from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.payments.contracts import METHODS, AttemptStatus, CollectionTerms, IntentStatus, LateMoney
from apps.payments.models import PaymentAttempt, PaymentIntent
from apps.payments.services import callbacks, intents
from tests.contract.catalogue import Capability, scenario, trait
from tests.contract.rails import Killed, Rail, die, edited
from tests.payments.conftest import told
from tests.payments.test_two_connections import at_once

PAID = ["payment_intent_created", "payment_initiated", "payment_captured", "payment_success"]
UNDONE = (
    {"action": "hang"},
    {"action": "reset"},
    {"action": "status", "status": 500},
    {"action": "status", "status": 503, "body": ""},
    {"action": "malformed_json"},
    {"action": "html_error"},
    {"action": "empty_body"},
)
"""Answers that tell nothing; ``processed`` says whether money moves all the same."""

NO_CONFIRMATION = {"action": "drop_callback", "of": "confirmation"}
LOST = ("drop_callback", NO_CONFIRMATION)
"""Every message of a payment is lost."""

collects = lambda name: scenario(Capability.COLLECT, name)  # noqa: E731 (an abbreviation)
calls_back = lambda name: scenario(Capability.CALLBACK, name)  # noqa: E731 (an abbreviation)


def is_paid(rail: Rail, intent: PaymentIntent) -> bool:
    """Say whether a payment is paid, once, under the receipt of the one payment that the provider's statement shows."""
    rows, attempt = rail.rows("payment"), rail.attempt(intent)
    receipts = [row["receipt"] for row in rows]
    return rail.again(intent).status == IntentStatus.SUCCEEDED and receipts == [attempt.provider_receipt]


def is_unpaid(rail: Rail, intent: PaymentIntent, *statuses: IntentStatus) -> bool:
    """Say whether a payment stands in one of these states and no money moved or is booked."""
    stands = rail.again(intent).status in statuses
    return stands and not rail.rows() and rail.attempt(intent).booked_at is None


def unpaid(rail: Rail) -> tuple[IntentStatus, ...]:
    """Return how a payment may stand whose payer was refused: where he has a page, he may choose again as long as it is open."""
    is_on_page = METHODS[rail.account.provider].is_on_page
    return (IntentStatus.FAILED, *((IntentStatus.REQUIRES_CONFIRMATION,) if is_on_page else ()))


@collects("paid: booked once with its fee, told in order")
def paid(rail: Rail) -> None:
    intent = rail.ask()
    assert intent.status == IntentStatus.ACTION_REQUIRED
    rail.rest()
    assert is_paid(rail, intent)
    charges = [Money.parse(row["withdrawn"], rail.words.currency) for row in rail.rows("charge")]
    assert [rail.attempt(intent).fee] == charges
    assert told(intent.id) == PAID


@collects("declined: each code is a reason of ours, and nothing is booked")
def declined(rail: Rail) -> None:
    for code, _ in rail.words.declines:
        rail.spoil("collect", {"action": "result", "code": code})
    asked = [rail.ask() for _ in rail.words.declines]
    rail.rest(seconds=rail.words.gives_up_after)
    found = [(rail.attempt(one).provider_code, rail.again(one).failure_code) for one in asked]
    assert found == list(rail.words.declines)
    assert all(is_unpaid(rail, one, *unpaid(rail)) for one in asked)


@collects("declined with a code that nobody knows: kept in the provider's words")
def declined_by_nobodys_code(rail: Rail) -> None:
    rail.spoil("collect", {"action": "result", "code": rail.words.nobodys})
    intent = rail.ask()
    rail.rest(seconds=rail.words.gives_up_after)
    assert is_unpaid(rail, intent, *unpaid(rail))
    attempt = rail.attempt(intent)
    assert (attempt.failure_code, attempt.provider_code) == ("unknown_provider_code", rail.words.nobodys)


@collects("refused at once: nobody was asked, and nothing is sent again")
def refused_at_once(rail: Rail) -> None:
    for answer, reason in rail.words.refusals:
        rail.spoil("collect", answer)
        intent = rail.ask()
        assert is_unpaid(rail, intent, *unpaid(rail))
        assert (rail.attempt(intent).status, intent.failure_code) == (AttemptStatus.FAILED, reason)
    rail.rest()
    assert rail.sent("collect") == len(rail.words.refusals)


@collects("the callback is lost: a question finds the payment, its receipt comes later")
def callback_lost(rail: Rail) -> None:
    rail.spoil("collect", *LOST)
    intent = rail.ask()
    rail.rest()
    attempt = rail.attempt(intent)
    assert (rail.again(intent).status, attempt.received) == (IntentStatus.SUCCEEDED, attempt.money)
    rail.list_movements()
    assert is_paid(rail, intent)
    assert told(intent.id) == PAID


@collects("the callback is late: the question was faster, and nothing is booked twice")
def callback_late(rail: Rail) -> None:
    rail.spoil("collect", {"action": "delay_callback", "ms": 40_000}, NO_CONFIRMATION)
    intent = rail.ask()
    rail.rest()
    assert rail.sent("query") >= 1
    assert is_paid(rail, intent)
    assert told(intent.id) == PAID


@calls_back("the callback comes five times at once: one books")
def callback_doubled(rail: Rail) -> None:
    rail.spoil("collect", {"action": "duplicate_callback", "n": 5}, NO_CONFIRMATION)
    intent = rail.ask()
    rail.let_pass(timedelta(seconds=3))
    stored = [rail.store(one) for one in rail.kept_back()]
    at_once(*[lambda uid=uid: callbacks.apply(callback_id=uid, now=rail.now) for uid in stored])
    rail.rest()
    assert len(stored) == 5
    assert sorted(rail.verdict(uid) for uid in stored) == ["APPLIED", *["DUPLICATE"] * 4]
    assert is_paid(rail, intent)
    assert told(intent.id) == PAID


@collects("the callback comes before the answer: what it says stands")
def callback_first(rail: Rail) -> None:
    rail.spoil("collect", "callback_before_response")
    with rail.at("payments.after_send", rail.take):
        intent = rail.ask()
    assert rail.has(Capability.WEBHOOK) or is_paid(rail, intent)
    rail.rest()
    assert is_paid(rail, intent)
    assert told(intent.id) == PAID


@collects("callbacks overtake each other: each finds its own payment")
def callbacks_overtake(rail: Rail) -> None:
    first, second = rail.ask(), rail.ask()
    rail.let_pass(timedelta(seconds=3))
    for callback in reversed(rail.kept_back()):
        rail.deliver(callback)
    rail.rest()
    assert is_each_its_own(rail, first, second)


def is_each_its_own(rail: Rail, *intents_: PaymentIntent) -> bool:
    """Say whether each of these payments is paid under the receipt that the statement has for it."""
    receipts = {rail.words.code_of(row): row["receipt"] for row in rail.rows("payment")}
    found = [(rail.again(one).status, rail.attempt(one)) for one in intents_]
    return all(
        (status, attempt.provider_receipt) == (IntentStatus.SUCCEEDED, receipts[attempt.code])
        for status, attempt in found
    )


@collects("messages of one payment are owed until others have come: the others wait for nothing")
def callbacks_reordered(rail: Rail) -> None:
    rail.spoil("collect", {"action": "reorder", "behind": 50}, NO_CONFIRMATION)
    owed, other = rail.ask(), rail.ask()
    rail.let_pass_seconds(3)
    rail.take()
    assert rail.attempt(owed).booked_at is None
    assert rail.again(other).status == IntentStatus.SUCCEEDED
    for _ in range(2):  # what falls due after a minute, and what that brings about
        rail.let_pass_seconds(61)
        rail.take()
    assert is_each_its_own(rail, owed, other)
    assert told(owed.id) == PAID


@collects("the answer comes later than anybody waits for it: unknown meanwhile, and moved once")
def answer_late(rail: Rail) -> None:
    rail.spoil("collect", {"action": "delay", "ms": 90_000})
    with rail.impatient():
        intent = rail.ask()
    assert intent.status == IntentStatus.UNKNOWN
    rail.rest()
    assert is_paid(rail, intent)
    assert told(intent.id)[-1] == "payment_success"


@collects("an old callback comes again: it changes nothing")
def callback_replayed(rail: Rail) -> None:
    first = rail.ask()
    rail.rest()
    rail.spoil(
        "collect", {"action": "result", "code": rail.words.declines[0][0]}, {"action": "replay_old", "n": 2}
    )
    second = rail.ask()
    rail.rest(seconds=rail.words.gives_up_after)
    assert is_paid(rail, first)
    assert rail.again(second).status in unpaid(rail)


@calls_back("a forged callback: at an address that nobody has, or at another payment's")
def callback_forged(rail: Rail) -> None:
    victim, payer = rail.ask(), rail.ask()
    rail.let_pass(timedelta(seconds=3))
    true = rail.own(payer, rail.kept_back())
    mine, theirs = rail.attempt(victim).callback_token, rail.attempt(payer).callback_token
    for token in (ids.token(), mine):
        forged = {**true, "url": true["url"].replace(theirs, token)}
        assert rail.deliver(forged) == "FORGED"
    assert not rail.attempt(victim).booked_at
    assert not rail.attempt(payer).booked_at
    assert rail.deliver(true) == "APPLIED"
    assert rail.again(payer).status == IntentStatus.SUCCEEDED
    rail.rest()


@calls_back("callbacks contradict each other: the first is booked, another receipt or sum is for people")
def callbacks_conflict(rail: Rail) -> None:
    intent = rail.ask()
    rail.let_pass(timedelta(seconds=3))
    true = rail.own(intent, rail.kept_back())
    receipt = rail.rows("payment")[0]["receipt"]
    other = "ZZ" + receipt[2:]
    assert rail.deliver(true) == "APPLIED"
    assert rail.deliver(edited(true, receipt, other)) == "UNMATCHED"
    assert rail.deliver(edited(true, 1500, 1400)) == "FORGED"
    assert is_paid(rail, intent)


@calls_back("the callback cannot be read: it is kept, and the question decides")
def callback_garbled(rail: Rail) -> None:
    intent = rail.ask()
    rail.let_pass(timedelta(seconds=3))
    true = rail.own(intent, rail.kept_back())
    for body in (b"", b"[]", b'{"Body": "?"}', b"\xff\xfe"):
        assert rail.deliver({**true, "body": body}) == "MALFORMED"
    rail.rest()
    assert rail.again(intent).status == IntentStatus.SUCCEEDED
    rail.deliver(true)
    assert is_paid(rail, intent)


@collects("the callback tells less than it should: what it lacks comes by another road")
def callback_partial(rail: Rail) -> None:
    rail.spoil("collect", {"action": "partial_result"}, NO_CONFIRMATION)
    intent = rail.ask()
    rail.rest()
    rail.list_movements()
    assert is_paid(rail, intent)


@collects("the callback comes from a strange address and tells a wrong time: the money counts")
def callback_strange(rail: Rail) -> None:
    rail.spoil("collect", "wrong_ip", {"action": "clock_skew", "seconds": -90_000})
    intent = rail.ask()
    rail.rest()
    assert is_paid(rail, intent)


@collects(
    "no clear answer and nothing moved: unknown, and sent again only where the provider knows the request"
)
def unclear_and_undone(rail: Rail) -> None:
    for answer in UNDONE:
        rail.spoil("collect", {**answer, "processed": False})
    with rail.impatient():
        asked = [rail.ask() for _ in UNDONE]
    rail.rest()
    if rail.has(Capability.REQUEST_KEY):
        assert {rail.again(one).status for one in asked} == {IntentStatus.SUCCEEDED}
        assert len(rail.rows("payment")) == len(UNDONE)
        return
    assert all(is_unpaid(rail, one, IntentStatus.UNKNOWN) for one in asked)
    assert rail.sent("collect") == len(UNDONE)


@collects("no clear answer and the money moved: found by what the provider tells, and moved once")
def unclear_and_done(rail: Rail) -> None:
    for answer in UNDONE:
        rail.spoil("collect", {**answer, "processed": True})
    with rail.impatient():
        asked = [rail.ask() for _ in UNDONE]
    assert {one.status for one in asked} == {IntentStatus.UNKNOWN}
    rail.rest()
    assert {rail.again(one).status for one in asked} == {IntentStatus.SUCCEEDED}
    assert len(rail.rows("payment")) == len(UNDONE)
    assert rail.has(Capability.REQUEST_KEY) or rail.sent("collect") == len(UNDONE)


@collects("too many requests: sent again after a while, and asked once")
def throttled(rail: Rail) -> None:
    rail.spoil("collect", {"action": "rate_limit", "code": "500.003.02"})
    rail.spoil("collect", {"action": "rate_limit", "code": "429"})
    intent = rail.ask()
    assert intent.status == IntentStatus.PROCESSING
    rail.rest()
    assert is_paid(rail, intent)
    assert rail.sent("collect") == 3


@scenario(
    Capability.TOKEN, "the token expires on the way: another one is fetched, and the payer is asked once"
)
def token_expires(rail: Rail) -> None:
    rail.ask(payer=rail.words.decides)  # so that there is a token
    before = rail.sent("collect"), rail.sent("token")
    rail.spoil("collect", "expire_token")
    intent = rail.ask()
    rail.rest()
    assert is_paid(rail, intent)
    assert (rail.sent("collect") - before[0], rail.sent("token") - before[1]) == (2, 1)


@scenario(Capability.TOKEN, "no token is to be had: nothing leaves, and it is tried again")
def token_denied(rail: Rail) -> None:
    for answer in ({"action": "reset"}, {"action": "status", "status": 503, "body": ""}):
        rail.spoil("token", answer)
    intent = rail.ask()
    assert (intent.status, rail.sent("collect")) == (IntentStatus.PROCESSING, 0)
    rail.rest()
    assert is_paid(rail, intent)
    assert rail.sent("collect") == 1


@collects("another sum moved than was asked for: booked as it came, in suspense, and never a success")
def other_sum(rail: Rail) -> None:
    rail.spoil("collect", {"action": "wrong_amount", "amount": "1000.00"})
    intent = rail.ask()
    rail.rest()
    attempt = rail.attempt(intent)
    assert (rail.again(intent).status, attempt.status) == (IntentStatus.IN_REVIEW, AttemptStatus.MISMATCH)
    assert (attempt.received, attempt.is_in_suspense) == (rail.money(1000_00), True)


@scenario(
    Capability.LATE,
    "money after a failure: it pays after all, or waits in suspense, as the organisation says",
)
def late_money(rail: Rail) -> None:
    for policy in (LateMoney.ACCEPT, LateMoney.SUSPENSE):
        intent = paid_late(rail, policy)
        attempt = rail.attempt(intent)
        ends = IntentStatus.SUCCEEDED if policy is LateMoney.ACCEPT else IntentStatus.IN_REVIEW
        assert (rail.again(intent).status, attempt.is_in_suspense) == (ends, policy is LateMoney.SUSPENSE)
        assert attempt.received == attempt.money
    assert len(rail.rows("payment")) == 2


def paid_late(rail: Rail, policy: LateMoney) -> PaymentIntent:
    """Return a payment that failed and then was paid, while the organisation says so of late money."""
    code = rail.words.declines[0][0]
    rail.spoil("collect", {"action": "result", "code": code}, {"action": "late_success", "ms": 30_000})
    with rail.terms(CollectionTerms(late_money=policy)):
        intent = rail.ask()
        rail.rest()
        assert rail.again(intent).status == IntentStatus.FAILED
        rail.rest(seconds=31)
    return intent


@collects("cancelled while the payer decides: what was faster is booked, and else the payment is cancelled")
def cancelled_meanwhile(rail: Rail) -> None:
    paying, refusing = rail.ask(), rail.create()
    rail.spoil("collect", {"action": "result", "code": rail.words.declines[0][0]})
    rail.work()
    rail.let_pass_seconds(3)
    for intent in (paying, refusing):
        with clock.fixed(rail.now):
            intents.cancel(intent_id=intent.id, actor=SYSTEM, now=rail.now)
    rail.rest()
    cancelled = rail.words.is_taken_by_order and is_unpaid(rail, paying, IntentStatus.CANCELLED)
    assert cancelled or is_paid(rail, paying)
    assert rail.again(refusing).status == IntentStatus.CANCELLED


@collects("the job comes twice and at once: the payer is asked once")
def job_doubled(rail: Rail) -> None:
    intent = rail.create()
    rail.drop_jobs()
    at_once(*[lambda: intents.request(intent_id=intent.id, now=rail.now)] * 4)
    rail.rest()
    assert is_paid(rail, intent)
    assert rail.sent("collect") == 1


@collects(
    "the worker dies before it sends, or before it writes down the answer: sent again only where the provider knows the request"
)
def worker_dies(rail: Rail) -> None:
    for point, moved in (("payments.before_send", 0), ("payments.after_send", 1)):
        with pytest.raises(Killed), rail.at(point, die):
            rail.ask()
        intent = PaymentIntent.objects.order_by("-created_at", "-id")[0]
        rail.rest(seconds=10)
        is_sent_again = rail.has(Capability.REQUEST_KEY)
        ends = IntentStatus.SUCCEEDED if moved or is_sent_again else IntentStatus.UNKNOWN
        paid = len(
            [row for row in rail.rows("payment") if rail.words.code_of(row) == rail.attempt(intent).code]
        )
        assert (rail.again(intent).status, paid) == (ends, int(bool(moved or is_sent_again)))
        assert PaymentAttempt.objects.filter(intent=intent).count() == 1
    assert rail.has(Capability.REQUEST_KEY) or rail.sent("collect") == 1


@scenario(
    Capability.SILENCE,
    "the provider is silent to the end of the plan: unknown, for people, and asked about no more",
)
def silent(rail: Rail) -> None:
    rail.spoil("query", {"action": "status", "status": 500}, times=None)
    rail.spoil("collect", {"action": "result", "code": "0", "ms": 86_400_000})
    intent = rail.ask()
    rail.rest()
    assert is_unpaid(rail, intent, IntentStatus.UNKNOWN)
    assert rail.sent("collect") == 1


@trait(Capability.REQUEST_KEY)
def knows_a_repeated_request(rail: Rail) -> bool:
    """Send the same request twice, past every guard of ours: is the payer asked once?"""
    first, second = rail.send_twice()
    return first == second


@trait(Capability.WITHDRAW)
def calls_a_request_back(rail: Rail) -> bool:
    """Cancel what the payer is being asked: does the provider stop asking?"""
    intent = rail.ask(payer=rail.words.decides)
    with clock.fixed(rail.now):
        intents.cancel(intent_id=intent.id, actor=SYSTEM, now=rail.now)
    rail.work()
    return not rail.words.asks_still(rail)
