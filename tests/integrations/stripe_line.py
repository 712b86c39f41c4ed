"""What stands at the edge of Stripe's adapters in their pure tests: a line with scripted answers, and an order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.integrations.ports import CollectionRequest
from apps.integrations.stripe.client import StripeLine
from apps.kit import http
from apps.kit.money import Money
from tests.integrations.daraja import said


@dataclass
class Wire:
    """Gives the scripted answers in turn and keeps what was sent."""

    answers: list[http.Answer | Exception] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)

    def send(
        self, *, kind: str, method: str, url: str, headers: Mapping[str, str], content: bytes
    ) -> http.Answer:
        self.sent.append({"kind": kind, "method": method, "url": url, "headers": headers, "body": content})
        found = self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


def refused(status: int, **error: str) -> http.Answer:
    return said({"error": {"type": "invalid_request_error", "message": "No.", **error}}, status)


def line(*answers: http.Answer | Exception) -> tuple[StripeLine, Wire]:
    wire = Wire(list(answers))
    return StripeLine("https://api.stripe.com", "sk_test_1", wire), wire


def order(**changes: Any) -> CollectionRequest:
    facts = {"money": Money(1500_00, "KES"), "phone": "", "code": "K7M2P9QX4T", "description": "Lunch"}
    return CollectionRequest(
        **{**facts, "callback_url": "", "return_url": "https://pay.example.test/p/1", **changes}
    )


def card(code: str, decline_code: str = "") -> http.Answer:
    told = {"decline_code": decline_code} if decline_code else {}
    return refused(402, type="card_error", code=code, **told)
