"""
The scenarios of the contract see what they are there to see: each mistake, made on purpose, turns one of them red.

Scenarios of the catalogue are green without it in ``test_contract``; those of an adapter alone are run as they are, then
with the mistake. What needs several processes to go wrong is planted in ``tests/simulation/bugs``.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from django_fsm import TransitionNotAllowed

from apps.integrations.contracts import MPESA
from apps.integrations.models import ProviderAccount
from apps.integrations.mpesa import codes
from apps.integrations.ports import (
    CollectionRequest,
    InboundCheck,
    Outcome,
    ProviderDeclined,
    ProviderUnavailable,
    ProviderUncertain,
    RefundOutcome,
    RefundRequest,
)
from apps.kit import ids
from apps.kit.money import Money
from apps.payments.contracts import Recorded
from apps.payments.models import PaymentAttempt, PaymentIntent
from apps.payments.services import (
    attempts,
    inbound_checks,
    intents,
    payables,
    pulls,
    receipts,
    refund_reports,
    reports,
    sendings,
    suspense,
)
from tests.contract import returning
from tests.contract.catalogue import SCENARIOS
from tests.contract.rails import Rail
from tests.contract.targets import MpesaTarget

pytestmark = pytest.mark.simulator_only

SHILLING = Money(1_00, "KES")
WRONG_PIN = "+254700000201"
NOTHING_MOVED = "+254700000781"
PAID_ALL_THE_SAME = "+254700000782"


def order(target: MpesaTarget, phone: str, address: str) -> CollectionRequest:
    return CollectionRequest(SHILLING, phone, ids.code(), "Certificate", address)


def a_wrong_pin_is_the_payers(target: MpesaTarget) -> None:
    port, address = target.collection(), target.address("stk")
    port.request(order(target, WRONG_PIN, address))

    report = port.read_callback(target.answer_to(address))

    assert (report.outcome, report.reason_code) == (Outcome.DECLINED, "authentication_failed")


def a_wrong_initiator_is_ours(target: MpesaTarget) -> None:
    port, address = target.refund(initiator_password="Not-the-password"), target.address("reversal")
    port.request(RefundRequest(SHILLING, "NLJ7RT61SV", ids.code(), address, target.address("late")))

    report = port.read_result(target.answer_to(address))

    assert (report.outcome, report.reason_code) == (RefundOutcome.DECLINED, "invalid_credentials")


def a_500_leaves_it_open(target: MpesaTarget) -> None:
    for phone in (NOTHING_MOVED, PAID_ALL_THE_SAME):
        with pytest.raises(ProviderUncertain):
            target.collection().request(order(target, phone, target.address("stk")))


def swap_2001(patch: pytest.MonkeyPatch) -> None:
    prompts, initiators = codes.STK_RESULTS["2001"], codes.INITIATOR_RESULTS["2001"]
    for name, reason in (
        ("STK_RESULTS", initiators),
        ("INITIATOR_RESULTS", prompts),
        ("REVERSAL_RESULTS", prompts),
    ):
        table: Mapping[str, str] = getattr(codes, name)
        patch.setattr(codes, name, {**table, "2001": reason})


def read_a_500_as_a_failure(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(codes, "_OPEN", codes.Refusal(ProviderDeclined, codes.UNKNOWN))


MISTAKES = [
    (a_wrong_pin_is_the_payers, swap_2001),
    (a_wrong_initiator_is_ours, swap_2001),
    (a_500_leaves_it_open, read_a_500_as_a_failure),
]


@pytest.mark.parametrize(("scenario", "mistake"), MISTAKES)
def test_a_mistake_turns_its_scenario_red(
    target: MpesaTarget,
    monkeypatch: pytest.MonkeyPatch,
    scenario: Callable[[MpesaTarget], None],
    mistake: Callable[[pytest.MonkeyPatch], None],
) -> None:
    scenario(target)

    mistake(monkeypatch)

    with pytest.raises((AssertionError, ProviderDeclined)):
        scenario(target)


NOT_SENT = ProviderUnavailable("network_unreachable")


def drop_the_dedupe(patch: pytest.MonkeyPatch) -> None:
    """A payment that is booked is booked again."""
    patch.setattr(PaymentAttempt, "is_booked", property(lambda _: False))


def forget_what_waits(patch: pytest.MonkeyPatch) -> None:
    """Money that was put aside is booked a second time when its payment is found."""
    patch.setattr(suspense, "held", lambda *_: None)
    patch.setattr(suspense, "regained", lambda *_, **__: None)


def believe_any_report(patch: pytest.MonkeyPatch) -> None:
    """Another ticket, receipt or sum is taken for the payment's own."""
    patch.setattr(reports, "check_agreement", lambda *_: None)


def believe_any_result(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(refund_reports, "check_agreement", lambda *_: None)


def believe_any_receipt(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        receipts,
        "believed",
        lambda attempt, report, **_: replace(report, ticket="", receipt=attempt.claimed_receipt),
    )


def book_no_fee(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ProviderAccount, "fee", lambda _, money: Money.zero(money.currency))


def book_what_was_asked(patch: pytest.MonkeyPatch) -> None:
    """Another sum is booked as the one that was asked for."""
    right = PaymentAttempt.book

    def book(attempt: PaymentAttempt, *, report: Any, **facts: Any) -> None:
        right(attempt, report=replace(report, money=attempt.money), **facts)

    patch.setattr(PaymentAttempt, "book", book)


def drop_late_money(patch: pytest.MonkeyPatch) -> None:
    """Money that comes after a failure changes nothing."""
    right = intents._collected

    def collected(attempt: PaymentAttempt, report: Any, **facts: Any) -> Recorded:
        is_late = not attempt.is_live and not attempt.is_booked
        return Recorded.IGNORED if is_late else right(attempt, report, **facts)

    patch.setattr(intents, "_collected", collected)


def send_again(patch: pytest.MonkeyPatch) -> None:
    """A request without a clear answer is taken for one that never left."""
    patch.setattr(
        attempts,
        "lose",
        lambda *, attempt_id, now: attempts.withdraw(attempt_id=attempt_id, refusal=NOT_SENT, now=now),
    )


def give_back_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        sendings,
        "lose",
        lambda *, refund_id, now: sendings.put_off(refund_id=refund_id, refusal=NOT_SENT, now=now),
    )


def take_whatever_comes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(inbound_checks, "decide", lambda **_: InboundCheck.ACCEPT)


def pass_over_a_failed_list(patch: pytest.MonkeyPatch) -> None:
    """A reading that did not come to its end counts as complete."""
    right = pulls._end

    def end(account_id: Any, *, pulled_until: Any = None, failure_code: str = "") -> None:
        cursor = pulls.PullCursor.objects.get(provider_account_id=account_id)
        right(account_id, pulled_until=pulled_until or cursor.started_at, failure_code=failure_code)

    patch.setattr(pulls, "_end", end)


def take_one_part(patch: pytest.MonkeyPatch) -> None:
    """A payment that was paid in part takes no more."""
    patch.setattr(PaymentIntent, "is_done", property(lambda intent: intent.is_settled))


def take_any_part(patch: pytest.MonkeyPatch) -> None:
    """More than is left is taken for a part."""
    patch.setattr(payables, "is_paid_by", lambda *_: True)


def no_clear_answer_to_a_refund(rail: Rail) -> None:
    case = next(case for case in returning.CASES if case.name == "500, not done")
    assert returning.played(rail, case) == ""


def story(name: str) -> Callable[[Rail], None]:
    """Return the one scenario whose name begins so."""
    found = [one.play for full, one in SCENARIOS.items() if full.startswith(name)]
    assert len(found) == 1, f"{len(found)} scenarios begin with {name!r}"
    return found[0]


AT_A_RAIL = [
    (story("declined: each code"), swap_2001),
    (story("no clear answer and the money moved"), read_a_500_as_a_failure),
    (story("no clear answer and nothing moved"), send_again),
    (story("an old callback comes again"), drop_the_dedupe),
    (story("the list names no reference"), forget_what_waits),
    (story("a forged callback"), believe_any_report),
    (story("callbacks contradict each other"), believe_any_report),
    (story("a forged result"), believe_any_result),
    (story("the receipt of another sum"), believe_any_receipt),
    (story("paid: booked once"), book_no_fee),
    (story("another sum moved"), book_what_was_asked),
    (story("money after a failure"), drop_late_money),
    (story("asked before the money moves"), take_whatever_comes),
    (story("less than is due"), take_one_part),
    (story("more than is left"), take_any_part),
    (story("the list does not come"), pass_over_a_failed_list),
    (no_clear_answer_to_a_refund, give_back_again),
]


@pytest.mark.parametrize("rail", [MPESA], indirect=True)
@pytest.mark.parametrize(("played", "mistake"), AT_A_RAIL)
def test_a_mistake_turns_a_scenario_of_the_catalogue_red(
    begun: Rail,
    monkeypatch: pytest.MonkeyPatch,
    played: Callable[[Rail], None],
    mistake: Callable[[pytest.MonkeyPatch], None],
) -> None:
    mistake(monkeypatch)

    with pytest.raises((AssertionError, TransitionNotAllowed)):
        begun.hold(played)
