"""Scenarios of money that goes back: each fault of the request, of its answer and of its result; and who asks twice."""

from dataclasses import dataclass
from typing import Any

from apps.kit import clock
from apps.kit.actors import SYSTEM
from apps.kit.errors import DomainError
from apps.kit.money import Money
from apps.payments.contracts import LateMoney, RefundStatus
from apps.payments.models import PaymentIntent, Refund
from apps.payments.services import refund_limits, refunds
from tests.contract.catalogue import Capability, scenario, trait
from tests.contract.collecting import NO_CONFIRMATION, paid_late
from tests.contract.rails import Rail
from tests.payments.test_two_connections import at_once

SUCCEEDED, FAILED, UNKNOWN = RefundStatus.SUCCEEDED, RefundStatus.FAILED, RefundStatus.UNKNOWN
PART = 50_00
"""Of one payment, where it may go back in parts: that spares a payment for each fault."""
REASON = "Order cancelled by the customer"


@dataclass(frozen=True)
class Case:
    """
    One fault: what the provider does with the request, and the state that the refund must end in.

    ``needs`` is what a rail must have for the fault to happen at all. Where nothing moved and the provider knows a
    repeated request, what is open is asked for again: it ends given back then.
    """

    name: str
    actions: tuple[Any, ...]
    ends: RefundStatus
    sent: int = 1
    needs: Capability = Capability.REFUND


LATER = {"action": "late_success", "ms": 9000}
CASES = [
    Case("given back", (), SUCCEEDED),
    Case("reset, done", ({"action": "reset", "processed": True},), SUCCEEDED),
    Case("reset, not done", ({"action": "reset"},), UNKNOWN),
    Case("no answer, done", ({"action": "hang", "processed": True},), SUCCEEDED),
    Case("no answer, not done", ({"action": "hang"},), UNKNOWN),
    Case("500, done", ({"action": "status", "status": 500, "processed": True},), SUCCEEDED),
    Case("500, not done", ({"action": "status", "status": 500},), UNKNOWN),
    Case("half an answer, done", ({"action": "malformed_json", "processed": True},), SUCCEEDED),
    Case("too many requests", ({"action": "rate_limit", "code": "500.003.02"},), SUCCEEDED, sent=2),
    Case("too many, and yet done", ({"action": "rate_limit", "code": "429", "processed": True},), SUCCEEDED),
    Case("the token expires", ("expire_token",), SUCCEEDED, sent=2, needs=Capability.TOKEN),
    Case("the result is lost", ("drop_callback",), SUCCEEDED),
    Case("the result comes three times", ({"action": "duplicate_callback", "n": 3},), SUCCEEDED),
    Case("the result is late", ({"action": "delay_callback", "ms": 20_000},), SUCCEEDED),
    Case("an old result comes again", ({"action": "replay_old", "n": 1},), SUCCEEDED),
    Case("the result lacks its parts", ("partial_result",), SUCCEEDED),
    Case("the result tells another sum", ({"action": "wrong_amount_callback_only", "amount": 1},), SUCCEEDED),
    Case(
        "the queue gives up, not done",
        ({"action": "queue_timeout", "ms": 5000},),
        FAILED,
        needs=Capability.CALLBACK,
    ),
    Case(
        "the queue gives up, and yet done",
        ({"action": "queue_timeout", "ms": 5000, "processed": True},),
        SUCCEEDED,
        needs=Capability.CALLBACK,
    ),
    Case(
        "refused, and later done",
        ({"action": "result", "code": "11"}, LATER),
        SUCCEEDED,
        needs=Capability.LATE,
    ),
]

gives_back = lambda name: scenario(Capability.REFUND, name)  # noqa: E731 (an abbreviation)


def played(rail: Rail, case: Case, spare: PaymentIntent | None = None, money: Money | None = None) -> str:
    """Give a payment back under a fault, or ``money`` of it, a spare one where there is one; return what is wrong, or nothing."""
    intent = spare or bought(rail)
    before = gone(rail), rail.sent("refund")
    if case.actions:
        rail.spoil("refund", *case.actions)
    with rail.impatient():
        refund = asked(rail, intent, money)
        rail.rest()
        if LATER in case.actions:
            rail.rest(seconds=10)
    refund.refresh_from_db()
    given, sent = gone(rail) - before[0], rail.sent("refund") - before[1]
    is_known = rail.has(Capability.REQUEST_KEY)
    ends = SUCCEEDED if is_known and case.ends == UNKNOWN else case.ends
    found = (refund.status, is_known or sent == case.sent, given, rail.is_even())
    wanted = (ends, True, int(ends == SUCCEEDED), True)
    return "" if found == wanted else f"{case.name}: {found} in place of {wanted}"


def gone(rail: Rail) -> int:
    """Return how many refunds went back and stayed there, by the provider's statement."""
    return len(rail.rows("reversal")) - len(rail.rows("reversal_failure"))


@gives_back(
    "whatever happens to a refund, money goes back at most once, is booked as it went, and is sent for once"
)
def whatever_happens(rail: Rail) -> None:
    bought(rail)  # so that the account holds enough
    spare = bought(rail)
    part = None if Capability.PART_REFUND in rail.words.lacks else rail.money(PART)
    codes = [
        Case(f"refused with {code}", ({"action": "result", "code": code},), FAILED)
        for code in rail.words.refund_declines
    ]
    nobodys = ({"action": "result", "code": rail.words.nobodys},)
    codes.append(Case("a code that nobody knows", nobodys, UNKNOWN if rail.words.leaves_open else FAILED))
    others = ({"action": "result", "code": rail.words.refunded_before},)
    cases = [case for case in (*CASES, *codes) if rail.has(case.needs)]
    found = [played(rail, case, spare if part or case.ends == FAILED else None, part) for case in cases]
    found.append(played(rail, Case("given back by somebody else", others, FAILED)))
    assert [wrong for wrong in found if wrong] == []


@gives_back("the result comes before the answer: what it says stands")
def result_first(rail: Rail) -> None:
    bought(rail)  # so that the account holds enough
    intent = bought(rail)
    rail.spoil("refund", "callback_before_response")
    with rail.at("payments.after_refund", rail.take):
        refund = asked(rail, intent)
    rail.rest()
    refund.refresh_from_db()
    assert (refund.status, refund.failure_message) == (SUCCEEDED, "")
    assert len(rail.rows("reversal")) == 1


@scenario(
    Capability.CALLBACK, "a forged result: at another refund's address it changes nothing", Capability.REFUND
)
def result_forged(rail: Rail) -> None:
    mine, theirs = asked(rail, bought(rail)), asked(rail, bought(rail))
    rail.let_pass_seconds(3)
    came = [one for one in rail.kept_back() if theirs.callback_token in one["url"]]
    forged = {**came[0], "url": came[0]["url"].replace(theirs.callback_token, mine.callback_token)}
    assert rail.deliver(forged) == "FORGED"
    rail.rest()
    for refund in (mine, theirs):
        refund.refresh_from_db()
        assert refund.status == SUCCEEDED


@gives_back("asked for five times at once: it is given back once; again afterwards it is refused")
def asked_twice(rail: Rail) -> None:
    bought(rail)  # so that the account holds enough
    intent = bought(rail)

    def ask() -> Refund | None:
        try:
            return refunds.create(intent_id=intent.id, money=None, reason=REASON, actor=SYSTEM, now=rail.now)
        except DomainError:
            return None

    made = [one for one in at_once(*[ask] * 5) if one is not None]
    at_once(*[lambda: refunds.request(refund_id=made[0].id, now=rail.now)] * 3)
    rail.rest()
    assert (len(made), len(rail.rows("reversal"))) == (1, 1)
    assert rail.has(Capability.REQUEST_KEY) or rail.sent("refund") == 1
    assert ask() is None


@scenario(Capability.LATE, "late money goes back by itself where the organisation says so", Capability.REFUND)
def late_money_goes_back(rail: Rail) -> None:
    intent = paid_late(rail, LateMoney.REFUND)
    refund = Refund.objects.get(attempt=rail.attempt(intent))
    assert refund.status == SUCCEEDED
    assert len(rail.rows("reversal")) == 1


@gives_back("more than arrived, or another currency, is refused, and nothing is written")
def too_much(rail: Rail) -> None:
    intent, before = bought(rail), Refund.objects.count()
    other = "USD" if rail.words.currency != "USD" else "EUR"
    for money in (rail.money(1500_01), Money(1500_00, other)):
        try:
            asked(rail, intent, money)
        except refund_limits.RefundTooLarge:
            continue
        raise AssertionError(f"{money} was taken for 1,500.00")
    assert (Refund.objects.count(), rail.sent("refund")) == (before, 0)


@trait(Capability.PART_REFUND)
def gives_back_a_part(rail: Rail) -> bool:
    """Ask for a part of a payment to go back: is it taken?"""
    intent = bought(rail)
    try:
        asked(rail, intent, rail.money(500_00))
    except (refund_limits.PartialRefundNotSupported, refund_limits.RefundNotSupported):
        return False
    return True


def bought(rail: Rail) -> PaymentIntent:
    """Return a payment that is paid and whose receipt is known."""
    rail.spoil("collect", NO_CONFIRMATION)
    intent = rail.ask()
    rail.let_pass_seconds(3)
    rail.take()
    return intent


def asked(rail: Rail, intent: PaymentIntent, money: Money | None = None) -> Refund:
    """Ask for a payment to go back, and send the request."""
    with clock.fixed(rail.now):
        refund = refunds.create(intent_id=intent.id, money=money, reason=REASON, actor=SYSTEM, now=rail.now)
    rail.work()
    return refund
