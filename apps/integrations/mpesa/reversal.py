"""Transaction Reversal as a refund port: a whole collection goes back to its payer, or nothing of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from apps.integrations.mpesa import codes, initiator, values
from apps.integrations.mpesa.client import DarajaClient
from apps.integrations.ports import (
    ProviderUncertain,
    RefundOutcome,
    RefundReport,
    RefundRequest,
    RefundTerms,
    Ticket,
)

REVERSAL_PATH = "/mpesa/reversal/v1/request"
ORGANISATION = "11"
WAITED_TOO_LONG = "1"
TIMED_OUT = "timed out"


@dataclass(frozen=True, slots=True)
class Reversal:
    """
    Reversals of one short code's collections, ordered in the name of its initiator.

    Daraja has no idempotency key here, and tells the ticket only in its answer: a request whose outcome is open is
    found again by its callback address alone.
    """

    terms: ClassVar[RefundTerms] = RefundTerms()

    client: DarajaClient
    short_code: str
    initiator: initiator.Initiator

    def request(self, request: RefundRequest) -> Ticket:
        body = {
            **self.initiator.signature(),
            "CommandID": "TransactionReversal",
            "TransactionID": request.receipt,
            "Amount": values.whole_shillings(request.money),
            "ReceiverParty": self.short_code,
            "RecieverIdentifierType": ORGANISATION,
            "ResultURL": request.callback_url,
            "QueueTimeOutURL": request.timeout_url,
            "Remarks": f"Refund {request.code}",
            "Occasion": "",
        }
        answer = initiator.order(self.client, "reversal", REVERSAL_PATH, body)
        if answer.is_taken and answer.originator:
            return Ticket(answer.originator)
        raise ProviderUncertain(
            codes.OUTCOME_UNKNOWN, "the answer names no ticket", provider_code=answer.response_code
        )

    def read_result(self, payload: Mapping[str, object]) -> RefundReport:
        result = values.mapping(payload.get("Result"), "Result")
        ticket = values.text(result.get("OriginatorConversationID")).strip()
        if not ticket:
            raise values.MalformedCallback("OriginatorConversationID is missing")
        if _is_timeout(result):
            return _lost(result)
        result_code = values.code(result.get("ResultCode"))
        if result_code == codes.SUCCESS:
            return _given_back(ticket, result)
        reason = codes.reversal_reason(result_code)
        is_repeat = result_code == codes.ALREADY_REVERSED
        return RefundReport(
            ticket,
            RefundOutcome.ALREADY if is_repeat else RefundOutcome.DECLINED,
            reason_code=reason,
            provider_code=result_code,
            message=values.text(result.get("ResultDesc"))
            if reason == codes.UNKNOWN
            else codes.message(reason),
        )

    def read_timeout(self, payload: Mapping[str, object]) -> RefundReport:
        """Read what came to the address for time-outs; its form is not published, so nothing of it is required."""
        result = payload.get("Result")
        return _lost(result if isinstance(result, Mapping) else {})


def _given_back(ticket: str, result: Mapping[str, object]) -> RefundReport:
    found = dict(values.parameters(result))
    return RefundReport(
        ticket,
        RefundOutcome.REFUNDED,
        money=values.money(found["Amount"]) if "Amount" in found else None,
        receipt=values.receipt(result.get("TransactionID")),
        payment_receipt=values.receipt(found.get("OriginalTransactionID")),
        payer_phone=values.phone_within(found.get("CreditPartyPublicName", "")),
        charge=values.charge(found.get("Charge", "")),
        occurred_at=values.instant(found.get("TransCompletedTime")),
        provider_code=codes.SUCCESS,
        message=values.text(result.get("ResultDesc")),
    )


def _is_timeout(result: Mapping[str, object]) -> bool:
    """A time-out bears a type of its own; its result code, 1, would be a lack of money."""
    is_of_type = values.text(result.get("ResultType")).strip() == WAITED_TOO_LONG
    return is_of_type or TIMED_OUT in values.text(result.get("ResultDesc")).lower()


def _lost(result: Mapping[str, object]) -> RefundReport:
    return RefundReport(
        values.text(result.get("OriginatorConversationID")).strip(),
        RefundOutcome.LOST,
        reason_code=codes.OUTCOME_UNKNOWN,
        provider_code=values.text(result.get("ResultCode")).strip()[: values.LONGEST_CODE],
        message=values.text(result.get("ResultDesc")),
    )
