"""
The contract of M-Pesa: one payment of one shilling and its return, by each port, as script/certify asks Safaricom too.

Nothing here needs a fault: whoever holds credentials of the sandbox and a phone can run it. The scenarios follow one another.
"""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from apps.integrations.ports import (
    CollectionReport,
    CollectionRequest,
    NextActionKind,
    Outcome,
    ProviderDeclined,
    ProviderUnavailable,
    RefundOutcome,
    RefundReport,
    RefundRequest,
    StatementRow,
    StatusRequest,
    Ticket,
    Window,
)
from apps.kit import ids
from apps.kit.money import Money
from tests.contract.targets import MpesaTarget

SHILLING = Money(1_00, "KES")


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment: what its request was answered with, what a query said at once, and what its callback said."""

    code: str
    ticket: Ticket
    at_once: CollectionReport
    report: CollectionReport


def order(target: MpesaTarget, code: str, address: str) -> CollectionRequest:
    return CollectionRequest(SHILLING, target.phone, code, "Certificate", address)


def reversed_by(target: MpesaTarget, receipt: str) -> tuple[Ticket, RefundReport]:
    """Ask for the return of a payment, and read the answer that comes."""
    port, address = target.refund(), target.address("reversal")
    ticket = port.request(RefundRequest(SHILLING, receipt, ids.code(), address, target.address("timeout")))
    return ticket, port.read_result(target.answer_to(address))


@pytest.fixture(scope="module")
def paid(target: MpesaTarget) -> Paid:
    """Ask for one shilling, which the owner of the phone approves."""
    port, address, code = target.collection(), target.address("stk"), ids.code()
    ticket = port.request(order(target, code, address))
    at_once = port.query(ticket.value)
    return Paid(code, ticket, at_once, port.read_callback(target.answer_to(address)))


def test_refuses_a_token_for_a_wrong_secret(target):
    port = target.collection(consumer_secret="not-the-secret")

    with pytest.raises(ProviderDeclined) as refusal:
        port.request(order(target, ids.code(), target.address("stk")))

    assert refusal.value.code == "invalid_credentials"


def test_refuses_a_prompt_that_is_signed_with_a_wrong_passkey(target):
    port = target.collection(passkey="not-the-passkey")

    with pytest.raises(ProviderDeclined):
        port.request(order(target, ids.code(), target.address("stk")))


def test_gives_a_token_and_accepts_a_prompt(target, paid):
    assert paid.ticket.value
    assert paid.ticket.next_action.kind is NextActionKind.PROMPT


def test_answers_a_query_while_the_payer_decides(paid):
    assert paid.at_once.ticket == paid.ticket.value
    assert paid.at_once.outcome in (Outcome.PENDING, Outcome.COLLECTED)


def test_tells_the_receipt_and_the_sum_of_a_payment_by_callback(paid):
    assert paid.report.ticket == paid.ticket.value
    assert paid.report.outcome is Outcome.COLLECTED
    assert paid.report.money == SHILLING
    assert paid.report.receipt


def test_answers_a_query_after_the_payment(target, paid):
    report = target.collection().query(paid.ticket.value)

    assert (report.ticket, report.outcome) == (paid.ticket.value, Outcome.COLLECTED)


def test_tells_the_fate_of_a_payment_by_its_receipt(target, paid):
    port, address = target.status(), target.address("status")

    question = port.request_status(StatusRequest(address, receipt=paid.report.receipt))
    fate = port.read_result(target.answer_to(address))

    assert fate.ticket == question.value
    assert (fate.outcome, fate.money, fate.receipt) == (Outcome.COLLECTED, SHILLING, paid.report.receipt)


def test_lists_a_payment_in_a_pull(target, paid):
    port = target.statement()
    port.register(number=target.pull_number, callback_url=target.address("pull"))

    def listed() -> StatementRow | None:
        window = Window(target.now() - timedelta(hours=1), target.now())
        try:
            page = port.fetch(window)
        except ProviderUnavailable:
            return None
        return next((row for row in page.rows if row.receipt == paid.report.receipt), None)

    row = target.eventually(listed)
    assert (row.money, row.reference) == (SHILLING, paid.code)


def test_gives_a_payment_back_once(target, paid):
    ticket, first = reversed_by(target, paid.report.receipt)
    again, second = reversed_by(target, paid.report.receipt)

    assert (first.ticket, first.outcome, first.money) == (ticket.value, RefundOutcome.REFUNDED, SHILLING)
    assert first.receipt != paid.report.receipt
    assert (second.ticket, second.outcome) == (again.value, RefundOutcome.ALREADY)
