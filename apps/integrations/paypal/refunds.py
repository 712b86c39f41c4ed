"""Refunds of captures: in part or whole, several of one payment, and what became of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from apps.integrations.paypal import answers, codes
from apps.integrations.paypal.client import PaypalLine
from apps.integrations.paypal.orders import PATH as ORDERS
from apps.integrations.ports import (
    MalformedCallback,
    ProviderDeclined,
    ProviderUncertain,
    RefundOutcome,
    RefundReport,
    RefundRequest,
    RefundTerms,
    Ticket,
)
from apps.kit.money import Money

OUTCOMES = {
    "PENDING": RefundOutcome.PENDING,
    "COMPLETED": RefundOutcome.REFUNDED,
    "FAILED": RefundOutcome.DECLINED,
    "CANCELLED": RefundOutcome.DECLINED,
}
OF_CAPTURE = "/v2/payments/captures/"


@dataclass(frozen=True, slots=True)
class Refunds:
    """Refunds of one account. PayPal keeps the fee of the payment, and knows a repeated request by code and number."""

    terms: ClassVar[RefundTerms] = RefundTerms(is_partial=True, repeat_within=timedelta(hours=6))

    line: PaypalLine

    def request(self, request: RefundRequest) -> Ticket:
        if not request.receipt:
            raise ProviderDeclined("invalid_request", "A refund names the capture that it gives back.")
        body = {"amount": answers.amount(request.money), "custom_id": _mark(request)}
        path = f"{OF_CAPTURE}{request.receipt}/refund"
        refund = self.line.post("refund", path, body, key=f"{request.code}:refund:{request.number}")
        ticket = answers.text(refund.get("id"))
        if not ticket:
            raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the answer names no refund")
        return Ticket(ticket)

    def read_result(self, payload: Mapping[str, object]) -> RefundReport:  # noqa: ARG002 (nothing comes this way)
        raise MalformedCallback("PayPal reports by signed messages alone.")

    def read_timeout(self, payload: Mapping[str, object]) -> RefundReport:  # noqa: ARG002 (nothing comes this way)
        raise MalformedCallback("PayPal reports by signed messages alone.")


@dataclass(frozen=True, slots=True)
class RefundSearch:
    """Finds a refund among those that the order of its payment tells, by what we wrote beside it."""

    line: PaypalLine

    def find(self, request: RefundRequest) -> Ticket | None:
        order = self.line.get("refund_query", f"{ORDERS}/{request.ticket}")
        payments = answers.part(answers.first(order, "purchase_units"), "payments")
        refunds = answers.rows(payments, "refunds")
        for refund in refunds:
            if refund.get("custom_id") == _mark(request) and (ticket := answers.text(refund.get("id"))):
                return Ticket(ticket)
        statuses = {one.get("status") for one in answers.rows(payments, "captures")}
        if not refunds and statuses != {"COMPLETED"}:
            raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the answer does not tell what went back")
        return None


@dataclass(frozen=True, slots=True)
class RefundQuery:
    """Asks after refunds. One that waits may fail still; one that is completed stays so."""

    line: PaypalLine

    def query(self, ticket: str) -> RefundReport:
        refund = self.line.get("refund_query", f"/v2/payments/refunds/{ticket}")
        status = answers.text(refund.get("status"))
        if status not in OUTCOMES:
            raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the refund is in a state that is not known here")
        outcome = OUTCOMES[status]
        reason = ""
        if outcome is RefundOutcome.DECLINED:
            reason = "declined" if status == "FAILED" else "customer_cancelled"
        details = answers.part(refund, "status_details")
        return RefundReport(
            ticket,
            outcome,
            money=answers.money(refund.get("amount")),
            receipt=ticket,
            payment_receipt=_capture(refund),
            settled=_settled(answers.part(refund, "seller_payable_breakdown")),
            occurred_at=answers.instant(refund.get("create_time")),
            reason_code=reason,
            provider_code=(answers.text(details.get("reason")) or status)[: codes.LONGEST_CODE],
            message=codes.MESSAGES.get(reason, ""),
        )


def _mark(request: RefundRequest) -> str:
    """Return what we write beside a refund: the payment's code, by which its messages are matched, and the number."""
    return f"{request.code}-{request.number}"


def _capture(refund: Mapping[str, Any]) -> str:
    """Return the capture that a refund gives back, as its links name it."""
    up = next((one.get("href") for one in answers.rows(refund, "links") if one.get("rel") == "up"), "")
    return answers.text(up).partition(OF_CAPTURE)[2]


def _settled(breakdown: Mapping[str, Any]) -> Money | None:
    """Return what left our balance where PayPal had converted; None where it had not, or does not say."""
    gross, debited = (
        answers.aside(breakdown.get(name)) for name in ("gross_amount", "net_amount_in_receivable_currency")
    )
    is_told = debited is not None and debited.minor > 0 and gross is not None
    return debited if is_told and debited and gross and debited.currency != gross.currency else None
