"""Refunds of card payments: in part or whole, several of one payment, and what became of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

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
from apps.integrations.stripe import answers, codes
from apps.integrations.stripe.checkout import PAYMENT
from apps.integrations.stripe.client import StripeLine, key

CHARGE = "ch_"
LONGEST_LIST = 100
OUTCOMES = {
    "pending": RefundOutcome.PENDING,
    "requires_action": RefundOutcome.PENDING,
    "succeeded": RefundOutcome.REFUNDED,
    "failed": RefundOutcome.DECLINED,
    "canceled": RefundOutcome.DECLINED,
}


@dataclass(frozen=True, slots=True)
class Refunds:
    """Refunds of one account. Stripe keeps the fee of the payment, and knows a repeated request by code and number."""

    terms: ClassVar[RefundTerms] = RefundTerms(is_partial=True, repeat_within=timedelta(hours=24))

    line: StripeLine

    def request(self, request: RefundRequest) -> Ticket:
        params = {
            **_of_what(request),
            "amount": answers.amount(request.money)["amount"],
            "reason": "requested_by_customer",
            "metadata": _mark(request),
        }
        options = key(request.code, f"refund:{request.number}")
        refund = self.line.call("refund", lambda v1: v1.refunds.create(params, options))
        ticket = answers.text(refund.get("id"))
        if not ticket:
            raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the answer names no refund")
        return Ticket(ticket)

    def read_result(self, payload: Mapping[str, object]) -> RefundReport:  # noqa: ARG002 (nothing comes this way)
        raise MalformedCallback("Stripe reports by signed messages alone.")

    def read_timeout(self, payload: Mapping[str, object]) -> RefundReport:  # noqa: ARG002 (nothing comes this way)
        raise MalformedCallback("Stripe reports by signed messages alone.")


@dataclass(frozen=True, slots=True)
class RefundSearch:
    """Finds a refund among those of its charge, by what we wrote beside it."""

    line: StripeLine

    def find(self, request: RefundRequest) -> Ticket | None:
        params = {**_of_what(request), "limit": LONGEST_LIST}
        listed = self.line.call("refund_query", lambda v1: v1.refunds.list(params))
        found = listed.get("data")
        if not isinstance(found, list):
            raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the answer lists no refunds")
        for refund in found:
            if answers.part(refund, "metadata") == _mark(request) and (ticket := answers.handle(refund)):
                return Ticket(ticket)
        if listed.get("has_more"):
            raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the charge has more refunds than one list shows")
        return None


def _mark(request: RefundRequest) -> dict[str, str]:
    """Return what we write beside a refund, by which it is found again."""
    return {"code": request.code, "number": str(request.number)}


def _of_what(request: RefundRequest) -> dict[str, str]:
    if request.receipt.startswith(CHARGE):
        return {"charge": request.receipt}
    if request.ticket.startswith(PAYMENT):
        return {"payment_intent": request.ticket}
    raise ProviderDeclined("invalid_request", "A refund names the charge that it gives back.")


@dataclass(frozen=True, slots=True)
class RefundQuery:
    """Asks after refunds. One that succeeded may fail later: the money is in our balance again then."""

    line: StripeLine

    def query(self, ticket: str) -> RefundReport:
        params = {"expand": ["balance_transaction"]}
        refund = self.line.call("refund_query", lambda v1: v1.refunds.retrieve(ticket, params))
        status = answers.text(refund.get("status"))
        if status not in OUTCOMES:
            raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the refund is in a state that is not known here")
        outcome = OUTCOMES[status]
        money = answers.money(refund.get("amount"), refund.get("currency"))
        reason = ""
        if outcome is RefundOutcome.DECLINED:
            told = answers.text(refund.get("failure_reason"))
            reason = codes.REFUND_FAILURES.get(told, codes.UNKNOWN if told else "customer_cancelled")
        moved = answers.moved(answers.part(refund, "balance_transaction"), money, is_out=True)
        return RefundReport(
            ticket,
            outcome,
            money=money,
            receipt=ticket,
            payment_receipt=answers.handle(refund.get("charge")),
            charge=moved.fee if moved.fee and moved.fee.minor else None,
            settled=moved.settled,
            occurred_at=answers.instant(refund.get("created")),
            reason_code=reason,
            provider_code=answers.text(refund.get("failure_reason") or status)[: codes.LONGEST_CODE],
            message=codes.MESSAGES.get(reason, ""),
        )
