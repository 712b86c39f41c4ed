"""
The scenarios of the contract see what they are there to see: each mistake, made on purpose, turns one of them red.

A scenario is run as it is, then with the mistake, and must fail then. What the books need two messages for is planted in
``tests/simulation/bugs``.
"""

from collections.abc import Callable, Mapping

import pytest

from apps.integrations.mpesa import codes
from apps.integrations.ports import (
    CollectionRequest,
    Outcome,
    ProviderDeclined,
    ProviderUncertain,
    RefundOutcome,
    RefundRequest,
)
from apps.kit import ids
from apps.kit.money import Money
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
