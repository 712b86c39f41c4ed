"""Transaction Status as a status port: what became of a movement that a receipt or a ticket names."""

from collections.abc import Mapping
from dataclasses import dataclass

from apps.integrations.mpesa import codes, initiator, values
from apps.integrations.mpesa.client import DarajaClient
from apps.integrations.ports import (
    CollectionReport,
    Outcome,
    PayerKind,
    ProviderDeclined,
    ProviderUncertain,
    RefundOutcome,
    RefundReport,
    StatusRequest,
    Ticket,
)

STATUS_PATH = "/mpesa/transactionstatus/v1/query"
PAYBILL_OR_STORE = "4"
FATES = {
    "completed": Outcome.COLLECTED,
    "cancelled": Outcome.DECLINED,
    "declined": Outcome.DECLINED,
    "expired": Outcome.DECLINED,
}
REFUND_OUTCOMES = {
    Outcome.COLLECTED: RefundOutcome.REFUNDED,
    Outcome.DECLINED: RefundOutcome.DECLINED,
    Outcome.PENDING: RefundOutcome.PENDING,
}
REASONS = {"cancelled": "customer_cancelled", "declined": "declined", "expired": "expired"}


@dataclass(frozen=True, slots=True)
class TransactionStatus:
    """Status questions of one short code, asked in the name of its initiator."""

    client: DarajaClient
    short_code: str
    initiator: initiator.Initiator

    def request_status(self, request: StatusRequest) -> Ticket:
        named = {"TransactionID": request.receipt, "OriginalConversationID": request.ticket}
        if not any(named.values()):
            raise ProviderDeclined("invalid_request", "Name a movement by its receipt or its ticket.")
        body = {
            **self.initiator.signature(),
            **{name: value for name, value in named.items() if value},
            "CommandID": "TransactionStatusQuery",
            "PartyA": self.short_code,
            "IdentifierType": PAYBILL_OR_STORE,
            "ResultURL": request.callback_url,
            "QueueTimeOutURL": request.callback_url,
            "Remarks": "Status",
            "Occasion": "",
        }
        answer = initiator.order(self.client, "transaction_status", STATUS_PATH, body)
        if not answer.is_taken or not answer.conversation:
            raise ProviderUncertain(
                codes.OUTCOME_UNKNOWN, "the question was not taken", provider_code=answer.response_code
            )
        return Ticket(answer.conversation)

    def read_result(self, payload: Mapping[str, object]) -> CollectionReport:
        return _read(payload)[0]

    def read_refund(self, payload: Mapping[str, object]) -> RefundReport:
        """Read the fate of a reversal: its ticket is among the parameters, for the envelope's is that of the question."""
        fate, pairs = _read(payload)
        found = dict(pairs)
        outcome = REFUND_OUTCOMES[fate.outcome]
        is_given = outcome is RefundOutcome.REFUNDED
        return RefundReport(
            ticket=values.text(found.get("OriginatorConversationID")).strip(),
            outcome=outcome,
            money=fate.money,
            receipt=fate.receipt if is_given else "",
            payer_phone=values.phone_within(_credited(pairs)),
            payer=values.number_within(_credited(pairs)),
            charge=values.charge(found.get("DebitPartyCharges", "")) if is_given else None,
            occurred_at=fate.occurred_at,
            reason_code="" if is_given else fate.reason_code.removeprefix("customer_"),
            provider_code=fate.provider_code,
            message=fate.message,
        )


def _credited(pairs: list[tuple[str, object]]) -> str:
    """Return who got the money: the credit party, or the second debit party, as Safaricom's sample names it."""
    names = [value for name, value in pairs if name == "CreditPartyName"]
    names += [value for name, value in pairs if name == "DebitPartyName"][1:]
    return _payer(names)


def _payer(names: list[object]) -> str:
    """Return the first of these parties that has a number, hidden or not: the business has a name and a short code."""
    return next((str(name) for name in names if values.payer_within(name).kind is not PayerKind.UNKNOWN), "")


def _read(payload: Mapping[str, object]) -> tuple[CollectionReport, list[tuple[str, object]]]:
    result = values.mapping(payload.get("Result"), "Result")
    ticket = values.text(result.get("ConversationID")).strip()
    if not ticket:
        raise values.MalformedCallback("ConversationID is missing")
    result_code = values.code(result.get("ResultCode"))
    description = values.text(result.get("ResultDesc"))
    if result_code != codes.SUCCESS:
        failed = CollectionReport(
            ticket,
            Outcome.PENDING,
            reason_code=codes.initiator_reason(result_code),
            provider_code=result_code,
            message=description,
        )
        return failed, []
    pairs = values.parameters(result)
    return _report(ticket, pairs, description), pairs


def _report(ticket: str, pairs: list[tuple[str, object]], description: str) -> CollectionReport:
    """Translate a movement's fate; what is not final (Initiated, Authorized, …) or not told is PENDING."""
    found = dict(pairs)
    fate = str(found.get("TransactionStatus", "")).strip().lower()
    outcome = FATES.get(fate, Outcome.PENDING)
    debited = [value for name, value in pairs if name == "DebitPartyName"]
    return CollectionReport(
        ticket,
        outcome,
        money=values.money(found["Amount"]) if outcome is Outcome.COLLECTED and "Amount" in found else None,
        receipt=values.receipt(found.get("ReceiptNo")),
        payer_phone=values.phone_within(_payer(debited)),
        payer=values.number_within(_payer(debited)),
        occurred_at=values.instant(found.get("FinalisedTime")),
        reason_code=REASONS.get(fate, ""),
        provider_code=codes.SUCCESS,
        message=description,
    )
