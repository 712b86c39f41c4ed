"""
The contract of M-Pesa where nobody asked: a payment that its payer starts, what the short code holds, and a picture to pay by.

As script/certify asks Safaricom too. Checks are off at Safaricom until they are asked for, so one may come and need not.
"""

import pytest

from apps.integrations.ports import InboundReport, PayerKind, Registration
from apps.kit import ids
from apps.kit.money import Money
from tests.contract.targets import MpesaTarget

SHILLING = Money(1_00, "KES")


@pytest.fixture(scope="module")
def addresses(target: MpesaTarget) -> dict[str, str]:
    return {"confirmation_url": target.address("c2b"), "validation_url": target.address("check")}


@pytest.fixture(scope="module")
def registered(target: MpesaTarget, addresses: dict[str, str]) -> Registration:
    return target.inbound().register(**addresses, is_accepted_by_default=True)


@pytest.fixture(scope="module")
def told(target: MpesaTarget, addresses: dict[str, str], registered: Registration) -> InboundReport:
    """Let the phone pay one shilling, and read what is told of it."""
    reference = ids.code()
    target.pay_unasked(1, reference)
    report = target.inbound().read_notice(target.answer_to(addresses["confirmation_url"]))
    assert report.reference == reference
    return report


def test_takes_our_addresses(registered):
    assert registered in Registration


def test_tells_of_money_that_its_payer_sent(target, told):
    assert (told.money, told.paid_to) == (SHILLING, target.short_code)
    assert told.receipt
    assert told.occurred_at is not None


def test_tells_who_paid_as_far_as_it_does(target, told):
    payer = target.inbound().read_payer(told.payer)

    assert payer.kind is not PayerKind.UNKNOWN
    assert payer.may_be(target.phone)


@pytest.mark.simulator_only
def test_asks_before_the_money_moves(target, told):
    path = "/check"
    asked = [callback.body for callback in target.arrived if callback.path.endswith(path)]

    assert any(told.receipt.encode() in body for body in asked)


def test_tells_what_it_holds(target, told):
    port, address = target.balance(), target.address("balance")

    ticket = port.request(callback_url=address, timeout_url=target.address("balance-timeout"))
    report = port.read_result(target.answer_to(address))

    assert report.ticket == ticket.value
    assert told.balance is None or told.balance <= sum(
        (purse.current for purse in report.balances), Money.zero("KES")
    )


def test_draws_a_code_to_pay_by(target):
    assert target.qr().make(money=SHILLING, reference=ids.code(), size=300)
