"""M-Pesa Express as a collection port: a prompt on the payer's phone."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from apps.integrations.mpesa import codes, values
from apps.integrations.mpesa.client import DarajaClient
from apps.integrations.ports import (
    CollectionReport,
    CollectionRequest,
    NextAction,
    NextActionKind,
    Outcome,
    ProviderDeclined,
    ProviderUncertain,
    Ticket,
)

REQUEST_PATH = "/mpesa/stkpush/v1/processrequest"
QUERY_PATH = "/mpesa/stkpushquery/v1/query"
TO_PAYBILL = "CustomerPayBillOnline"
TO_TILL = "CustomerBuyGoodsOnline"
REFERENCE_LENGTH = 12
DESCRIPTION_LENGTH = 13
PROMPT = NextAction(NextActionKind.PROMPT, "Enter your M-Pesa PIN on your phone to approve the payment.")


def password(short_code: str, passkey: str, timestamp: str) -> str:
    return base64.b64encode(f"{short_code}{passkey}{timestamp}".encode()).decode()


@dataclass(frozen=True, slots=True)
class StkPush:
    """
    Prompts of one short code. ``till_number`` is the receiver of a till and empty for a paybill.

    Daraja has no idempotency key here: a request whose outcome is open must be queried and never repeated.
    """

    repeat_within: ClassVar[timedelta] = timedelta(0)

    client: DarajaClient
    short_code: str
    till_number: str
    passkey: str = field(repr=False)
    clock: Callable[[], datetime] = field(repr=False)

    def request(self, request: CollectionRequest) -> Ticket:
        body = {**self._signature(), **self._order(request)}
        answer = self.client.post("stk_push", REQUEST_PATH, body)
        response_code = values.text(answer.get("ResponseCode")).strip()
        ticket = values.text(answer.get("CheckoutRequestID")).strip()
        if response_code == codes.SUCCESS and ticket:
            return Ticket(ticket, PROMPT)
        if response_code in codes.REFUSED_AT_ONCE:
            reason = codes.stk_reason(response_code)
            raise ProviderDeclined(reason, codes.message(reason), provider_code=response_code)
        raise ProviderUncertain(
            codes.OUTCOME_UNKNOWN,
            values.text(answer.get("ResponseDescription")) or "the answer names no ticket",
            provider_code=response_code,
        )

    def query(self, ticket: str) -> CollectionReport:
        """Ask after a prompt. Daraja tells neither sum nor receipt here, and answers 500 while the payer decides."""
        try:
            answer = self.client.post(
                "stk_query", QUERY_PATH, {**self._signature(), "CheckoutRequestID": ticket}
            )
        except ProviderUncertain as error:
            if error.code != codes.PENDING:
                raise
            return CollectionReport(ticket, Outcome.PENDING, provider_code=error.provider_code)
        response_code = values.text(answer.get("ResponseCode", codes.SUCCESS)).strip()
        try:
            report = _report(values.text(answer.get("CheckoutRequestID")).strip() or ticket, answer)
        except values.MalformedCallback as error:
            raise ProviderUncertain(codes.OUTCOME_UNKNOWN, str(error), provider_code=response_code) from error
        if response_code != codes.SUCCESS or report.ticket != ticket:
            raise ProviderUncertain(
                codes.OUTCOME_UNKNOWN, "the answer belongs to another question", provider_code=response_code
            )
        return report

    def read_callback(self, payload: Mapping[str, object]) -> CollectionReport:
        body = values.mapping(payload.get("Body"), "Body")
        callback = values.mapping(body.get("stkCallback"), "Body.stkCallback")
        ticket = values.text(callback.get("CheckoutRequestID")).strip()
        if not ticket:
            raise values.MalformedCallback("CheckoutRequestID is missing")
        metadata = callback.get("CallbackMetadata")
        items = values.pairs(metadata.get("Item"), name="Name") if isinstance(metadata, Mapping) else []
        return _report(ticket, callback, items=dict(items))

    def _signature(self) -> dict[str, str]:
        timestamp = values.timestamp(self.clock())
        return {
            "BusinessShortCode": self.short_code,
            "Password": password(self.short_code, self.passkey, timestamp),
            "Timestamp": timestamp,
        }

    def _order(self, request: CollectionRequest) -> dict[str, str]:
        """Return the order in Daraja's words, or raise ProviderDeclined for what it could only misunderstand."""
        shillings = values.whole_shillings(request.money)
        phone = request.phone.removeprefix("+")
        if not values.MOBILE.fullmatch(phone):
            raise ProviderDeclined(
                "invalid_request", "The payer's telephone number is not a Kenyan mobile number."
            )
        if not 0 < len(request.code) <= REFERENCE_LENGTH:
            raise ProviderDeclined("invalid_request", "The payment code has more than 12 characters or none.")
        return {
            "TransactionType": TO_TILL if self.till_number else TO_PAYBILL,
            "Amount": shillings,
            "PartyA": phone,
            "PartyB": self.till_number or self.short_code,
            "PhoneNumber": phone,
            "CallBackURL": request.callback_url,
            "AccountReference": request.code,
            "TransactionDesc": _description(request.description),
        }


def _description(text: str) -> str:
    """Return what fits into the prompt: printable ASCII, 13 characters."""
    plain = "".join(character for character in text if character.isascii() and character.isprintable())
    return plain[:DESCRIPTION_LENGTH].strip() or "Payment"


def _report(
    ticket: str, result: Mapping[str, object], *, items: Mapping[str, object] | None = None
) -> CollectionReport:
    """Translate a result; ``items`` are the metadata that only a callback of a success carries."""
    result_code = values.code(result.get("ResultCode"))
    description = values.text(result.get("ResultDesc"))
    if result_code == codes.STILL_PROCESSING:
        return CollectionReport(ticket, Outcome.PENDING, provider_code=result_code, message=description)
    if result_code != codes.SUCCESS:
        reason = codes.stk_reason(result_code)
        return CollectionReport(
            ticket,
            Outcome.DECLINED,
            reason_code=reason,
            provider_code=result_code,
            message=description if reason == codes.UNKNOWN else codes.message(reason),
        )
    found = items or {}
    return CollectionReport(
        ticket,
        Outcome.COLLECTED,
        money=values.money(found["Amount"]) if "Amount" in found else None,
        receipt=values.receipt(found.get("MpesaReceiptNumber")),
        payer_phone=values.phone(found.get("PhoneNumber", "")),
        occurred_at=values.instant(found.get("TransactionDate")),
        provider_code=result_code,
        message=description,
    )
