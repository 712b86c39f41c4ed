"""C2B as an inbound port: what customers pay to a short code of themselves."""

from collections.abc import Mapping
from dataclasses import dataclass

from apps.integrations.mpesa import codes, values
from apps.integrations.mpesa.client import DarajaClient
from apps.integrations.ports import (
    InboundCheck,
    InboundReport,
    MalformedCallback,
    Payer,
    ProviderDeclined,
    ProviderUncertain,
    Registration,
)

REGISTER_PATH = "/mpesa/c2b/{version}/registerurl"
ACCEPTED_BY_DEFAULT = "Completed"
REFUSED_BY_DEFAULT = "Cancelled"
FORBIDDEN_WORDS = ("mpesa", "m-pesa", "safaricom", "exe", "cmd", "sql", "query")
CHECK_CODES: Mapping[InboundCheck, str] = {
    InboundCheck.ACCEPT: codes.SUCCESS,
    InboundCheck.BAD_PAYER: "C2B00011",
    InboundCheck.BAD_ACCOUNT: "C2B00012",
    InboundCheck.BAD_AMOUNT: "C2B00013",
    InboundCheck.OTHER: "C2B00016",
}
NAMES = ("FirstName", "MiddleName", "LastName")
LONGEST_REFERENCE = 60
LONGEST_PAYER = 64
LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Inbound:
    """Payments that come unasked to one short code. ``version`` is that of the service, v1 or v2."""

    client: DarajaClient
    short_code: str
    version: str = "v2"

    def register(
        self, *, confirmation_url: str, validation_url: str, is_accepted_by_default: bool
    ) -> Registration:
        """Register the addresses. In production that is done once: what is registered must be deleted by a person first."""
        for address in (confirmation_url, validation_url):
            _refuse_word(address)
        body = {
            "ShortCode": self.short_code,
            "ResponseType": ACCEPTED_BY_DEFAULT if is_accepted_by_default else REFUSED_BY_DEFAULT,
            "ConfirmationURL": confirmation_url,
            "ValidationURL": validation_url,
        }
        try:
            answer = self.client.post("c2b_register", REGISTER_PATH.format(version=self.version), body)
        except ProviderDeclined as refusal:
            if refusal.code != codes.ALREADY_REGISTERED:
                raise
            return Registration.ELSEWHERE
        response_code = values.text(answer.get("ResponseCode")).strip()
        if response_code and not response_code.strip("0"):
            return Registration.DONE
        raise ProviderUncertain(
            codes.OUTCOME_UNKNOWN,
            values.text(answer.get("ResponseDescription")) or "the answer does not say whether it was done",
            provider_code=response_code,
        )

    def read_notice(self, payload: Mapping[str, object]) -> InboundReport:
        receipt = values.receipt(payload.get("TransID"))
        if not receipt:
            raise MalformedCallback("TransID is missing or no receipt")
        names = [values.text(payload.get(name)).strip() for name in NAMES]
        return InboundReport(
            receipt=receipt,
            money=values.money(payload.get("TransAmount")),
            reference=values.text(payload.get("BillRefNumber")).strip()[:LONGEST_REFERENCE],
            payer=values.text(payload.get("MSISDN")).strip()[:LONGEST_PAYER],
            payer_name=" ".join(filter(None, names))[:LONGEST_NAME],
            paid_to=values.text(payload.get("BusinessShortCode")).strip()[:LONGEST_REFERENCE],
            occurred_at=values.instant(payload.get("TransTime")),
            kind=values.text(payload.get("TransactionType")).strip()[:LONGEST_REFERENCE],
            balance=values.balance(payload.get("OrgAccountBalance")),
        )

    def check_answer(self, check: InboundCheck, our_id: str) -> Mapping[str, str]:
        if check is not InboundCheck.ACCEPT:
            return {"ResultCode": CHECK_CODES[check], "ResultDesc": "Rejected"}
        return {"ResultCode": codes.SUCCESS, "ResultDesc": "Accepted", "ThirdPartyTransID": our_id}

    @staticmethod
    def read_payer(text: str) -> Payer:
        return values.payer(text)


def _refuse_word(address: str) -> None:
    found = next((word for word in FORBIDDEN_WORDS if word in address.lower()), "")
    if found:
        raise ProviderDeclined("configuration", f"M-Pesa takes no address that contains {found}: {address}")
