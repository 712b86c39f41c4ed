"""Account Balance as a balance port: what M-Pesa holds for a short code, purse by purse."""

from collections.abc import Mapping
from dataclasses import dataclass

from apps.integrations.mpesa import codes, initiator, values
from apps.integrations.mpesa.client import DarajaClient
from apps.integrations.ports import (
    BalanceReport,
    MalformedCallback,
    NamedBalance,
    ProviderUncertain,
    Ticket,
)

BALANCE_PATH = "/mpesa/accountbalance/v1/query"
PAYBILL_OR_STORE = "4"
LONGEST_NAME = 60
NAME, CURRENCY, CURRENT, AVAILABLE = range(4)


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """Balances of one short code, asked for in the name of its initiator."""

    client: DarajaClient
    short_code: str
    initiator: initiator.Initiator

    def request(self, *, callback_url: str, timeout_url: str) -> Ticket:
        body = {
            **self.initiator.signature(),
            "CommandID": "AccountBalance",
            "PartyA": self.short_code,
            "IdentifierType": PAYBILL_OR_STORE,
            "Remarks": "Balance",
            "QueueTimeOutURL": timeout_url,
            "ResultURL": callback_url,
        }
        answer = initiator.order(self.client, "account_balance", BALANCE_PATH, body)
        if not answer.is_taken or not answer.conversation:
            raise ProviderUncertain(
                codes.OUTCOME_UNKNOWN, "the question was not taken", provider_code=answer.response_code
            )
        return Ticket(answer.conversation)

    def read_result(self, payload: Mapping[str, object]) -> BalanceReport:
        result = values.mapping(payload.get("Result"), "Result")
        ticket = values.text(result.get("ConversationID")).strip()
        if not ticket:
            raise MalformedCallback("ConversationID is missing")
        result_code = values.code(result.get("ResultCode"))
        description = values.text(result.get("ResultDesc"))
        if result_code != codes.SUCCESS:
            reason = codes.initiator_reason(result_code)
            return BalanceReport(ticket, reason_code=reason, provider_code=result_code, message=description)
        found = dict(values.parameters(result))
        return BalanceReport(
            ticket,
            tuple(map(_purse, str(found.get("AccountBalance", "")).split("&"))),
            told_at=values.instant(found.get("BOCompletedTime")),
            provider_code=result_code,
            message=description,
        )


def _purse(text: str) -> NamedBalance:
    """
    Read ``Utility Account|KES|228037.00|228037.00|0.00|0.00``: name, currency, current, available; what the last two
    say is not published. One that cannot be read spoils the whole answer, for the sum of the others would be wrong.
    """
    parts = [part.strip() for part in text.split("|")]
    if len(parts) <= AVAILABLE or not parts[NAME] or parts[CURRENCY] != values.CURRENCY:
        raise MalformedCallback("AccountBalance is missing or no list of balances")
    current, available = values.balance(parts[CURRENT]), values.balance(parts[AVAILABLE])
    if current is None or available is None:
        raise MalformedCallback("AccountBalance names no sum")
    return NamedBalance(values.text(parts[NAME])[:LONGEST_NAME], current, available)
