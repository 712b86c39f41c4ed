"""Transaction Status as a status port: what became of a movement that a receipt names."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import load_pem_x509_certificate

from apps.integrations.mpesa import codes, values
from apps.integrations.mpesa.client import DarajaClient
from apps.integrations.ports import (
    CollectionReport,
    Outcome,
    ProviderDeclined,
    ProviderUncertain,
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
REASONS = {"cancelled": "customer_cancelled", "declined": "declined", "expired": "expired"}


def security_credential(initiator_password: str, certificate: str) -> str:
    """
    Encrypt a password for Safaricom: RSA, PKCS#1 v1.5, base64. Every call gives another text.

    Raises ProviderDeclined with ``configuration`` where the certificate cannot be used.
    """
    try:
        key = load_pem_x509_certificate(certificate.encode()).public_key()
    except ValueError:
        raise ProviderDeclined("configuration", "The account's certificate cannot be read.") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise ProviderDeclined("configuration", "The account's certificate holds no RSA key.")
    return base64.b64encode(key.encrypt(initiator_password.encode(), padding.PKCS1v15())).decode()


@dataclass(frozen=True, slots=True)
class TransactionStatus:
    """Status questions of one short code, asked in the name of its initiator."""

    client: DarajaClient
    short_code: str
    initiator: str
    initiator_password: str = field(repr=False)
    certificate: str = field(repr=False)

    def request_status(self, request: StatusRequest) -> Ticket:
        if not (self.initiator and self.initiator_password and self.certificate):
            raise ProviderDeclined("configuration", "The account has no initiator or no certificate.")
        body = {
            "Initiator": self.initiator,
            "SecurityCredential": security_credential(self.initiator_password, self.certificate),
            "CommandID": "TransactionStatusQuery",
            "TransactionID": request.receipt,
            "PartyA": self.short_code,
            "IdentifierType": PAYBILL_OR_STORE,
            "ResultURL": request.callback_url,
            "QueueTimeOutURL": request.callback_url,
            "Remarks": "Status",
            "Occasion": "",
        }
        answer = self.client.post("transaction_status", STATUS_PATH, body)
        response_code = values.text(answer.get("ResponseCode")).strip()
        ticket = values.text(answer.get("ConversationID")).strip()
        if response_code != codes.SUCCESS or not ticket:
            raise ProviderUncertain(
                codes.OUTCOME_UNKNOWN, "the question was not taken", provider_code=response_code
            )
        return Ticket(ticket)

    def read_result(self, payload: Mapping[str, object]) -> CollectionReport:
        result = values.mapping(payload.get("Result"), "Result")
        ticket = values.text(result.get("ConversationID")).strip()
        if not ticket:
            raise values.MalformedCallback("ConversationID is missing")
        result_code = values.code(result.get("ResultCode"))
        description = values.text(result.get("ResultDesc"))
        if result_code != codes.SUCCESS:
            return CollectionReport(
                ticket,
                Outcome.PENDING,
                reason_code=codes.initiator_reason(result_code),
                provider_code=result_code,
                message=description,
            )
        return _report(ticket, _parameters(result), description)


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
        payer_phone=next(filter(None, map(values.phone_within, debited)), ""),
        occurred_at=values.instant(found.get("FinalisedTime")),
        reason_code=REASONS.get(fate, ""),
        provider_code=codes.SUCCESS,
        message=description,
    )


def _parameters(result: Mapping[str, object]) -> list[tuple[str, object]]:
    """Return the parameters in order; the names of container and list are swapped in some answers."""
    for outer, inner in (
        ("ResultParameters", "ResultParameter"),
        ("ResultParameter", "ResultParameters"),
    ):
        container = result.get(outer)
        if isinstance(container, Mapping):
            return values.pairs(container.get(inner), name="Key")
    return []
