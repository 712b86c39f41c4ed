"""What stands at the edge of PayPal's adapters in their pure tests: a line with scripted answers, and an order."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.integrations.paypal.client import API_URL, PaypalLine
from apps.integrations.ports import CollectionRequest, Token
from apps.kit import http
from apps.kit.money import Money
from tests.integrations.daraja import said

MERCHANT = "SAVANNAMERCH1"
CODE = "K7M2P9QX4T"
ORDER = "5O190127TN364715T"
TOKEN = said({"access_token": "A21AAfirst", "token_type": "Bearer", "expires_in": 32400})


@dataclass
class Wire:
    """Gives the scripted answers in turn and keeps what was sent; a token request has an answer of its own."""

    answers: list[http.Answer | Exception] = field(default_factory=list)
    token: http.Answer | Exception = TOKEN
    sent: list[dict[str, Any]] = field(default_factory=list)

    def send(
        self, *, kind: str, method: str, url: str, headers: Mapping[str, str], content: bytes
    ) -> http.Answer:
        self.sent.append({"kind": kind, "method": method, "url": url, "headers": headers, "body": content})
        found = self.token if kind == "oauth" else self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    @property
    def calls(self) -> list[dict[str, Any]]:
        """What was sent beside requests for a token."""
        return [one for one in self.sent if one["kind"] != "oauth"]

    @property
    def kinds(self) -> list[str]:
        return [one["kind"] for one in self.sent]


@dataclass
class Kept:
    """Keeps one token, as the cache does."""

    value: str = ""

    def get(self, fetch: Callable[[], Token]) -> str:
        self.value = self.value or fetch().value
        return self.value

    def forget(self, token: str) -> None:
        self.value = "" if self.value == token else self.value


def line(*answers: http.Answer | Exception, base_url: str = API_URL) -> tuple[PaypalLine, Wire]:
    wire = Wire(list(answers))
    return PaypalLine(base_url, "client", "secret", wire, Kept()), wire


def refused(status: int, issue: str = "", name: str = "UNPROCESSABLE_ENTITY") -> http.Answer:
    details = [{"issue": issue, "description": "No."}] if issue else []
    return said({"name": name, "message": "No.", "debug_id": "b3c2", "details": details}, status)


def order(**changes: Any) -> CollectionRequest:
    facts = {"money": Money(25_00, "USD"), "phone": "", "code": CODE, "description": "Lunch"}
    return CollectionRequest(
        **{**facts, "callback_url": "", "return_url": "https://pay.example.test/p/1", **changes}
    )


def dollars(value: str) -> dict[str, str]:
    return {"currency_code": "USD", "value": value}


def told(status: str, *, intent: str = "CAPTURE", **payments: Any) -> http.Answer:
    """Return an order of USD 25.00 as PayPal tells it."""
    unit = {
        "reference_id": CODE,
        "custom_id": CODE,
        "amount": dollars("25.00"),
        "payee": {"merchant_id": MERCHANT},
        "payments": payments,
    }
    links = [{"rel": "payer-action", "href": f"https://www.paypal.com/checkoutnow?token={ORDER}"}]
    open_links = links if status in ("CREATED", "PAYER_ACTION_REQUIRED") else []
    return said(
        {"id": ORDER, "status": status, "intent": intent, "purchase_units": [unit], "links": open_links}
    )


def capture(status: str = "COMPLETED", **facts: Any) -> dict[str, Any]:
    return {
        "id": "40V95236PS9814847",
        "status": status,
        "amount": dollars("25.00"),
        "create_time": "2026-11-24T07:40:00Z",
        "seller_receivable_breakdown": {
            "gross_amount": dollars("25.00"),
            "paypal_fee": dollars("1.03"),
            "net_amount": dollars("23.97"),
        },
        **facts,
    }


def parsed(call: Mapping[str, Any]) -> Any:
    return json.loads(call["body"])
