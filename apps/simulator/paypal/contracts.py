"""The values that pass between the parts of the PayPal face; money is an integer of a currency's smallest unit."""

import sqlite3
from dataclasses import dataclass, field, replace
from typing import Any

from apps.simulator.contracts import Plan

Body = dict[str, Any]
"""A PayPal object as its JSON shows it."""

NAMES = {
    400: "INVALID_REQUEST",
    401: "AUTHENTICATION_FAILURE",
    403: "NOT_AUTHORIZED",
    404: "RESOURCE_NOT_FOUND",
    409: "RESOURCE_CONFLICT",
    422: "UNPROCESSABLE_ENTITY",
    429: "RATE_LIMIT_REACHED",
    500: "INTERNAL_SERVER_ERROR",
}
MESSAGES = {
    400: "Request is not well-formed, syntactically incorrect, or violates schema.",
    401: "Authentication failed due to missing authorization header, or invalid authentication credentials.",
    403: "Authorization failed due to insufficient permissions.",
    404: "The specified resource does not exist.",
    409: "The server has detected a conflict while processing this request.",
    422: "The requested action could not be performed, semantically incorrect, or failed business validation.",
    429: "Too many requests. Blocked due to rate limiting.",
    500: "An internal server error occurred.",
}


class PayPalRefusal(Exception):
    """PayPal's own error: status, issue, the field that it is about as a JSON pointer, and words for a person."""

    def __init__(
        self, status: int, issue: str = "", words: str = "", *, at: str = "", value: str = ""
    ) -> None:
        super().__init__(issue or NAMES[status])
        self.status = status
        self.issue = issue
        self.words = words or f"{issue.replace('_', ' ').capitalize()}."
        self.at = at
        self.value = value
        self.links: list[Body] = []

    def body(self, debug_id: str) -> Body:
        """Return the error as PayPal shows it."""
        told: Body = {"name": NAMES[self.status], "message": MESSAGES[self.status], "debug_id": debug_id}
        if self.issue:
            place = {"field": self.at, "value": self.value, "location": "body"} if self.at else {}
            told["details"] = [place | {"issue": self.issue, "description": self.words}]
        return told | {"links": self.links}


@dataclass(frozen=True, slots=True)
class Account:
    """
    A PayPal business account, and the one app through whose client id it is used.

    It settles in ``currency``; ``rates`` say what one unit of another currency becomes of it, after the fee of
    ``fee_bps`` and ``fee_fixed`` is taken in the currency of the payment.
    """

    id: str
    name: str
    client_id: str
    client_secret: str
    country: str = "US"
    currency: str = "USD"
    fee_bps: int = 349
    fee_fixed: int = 49
    dispute_fee: int = 2_000
    rates: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scope:
    """
    One account at one moment, within one transaction: what every step of a call or of a happening works with.

    ``plan`` is what a script wants of it, ``origin`` is where the simulator was called.
    """

    tx: sqlite3.Connection
    account: Account
    now: int
    plan: Plan = field(default_factory=Plan)
    origin: str = ""

    def under(self, plan: Plan) -> "Scope":
        """Return the scope under the plan of an older object, unless the call has brought one of its own."""
        return replace(self, plan=plan) if self.plan == Plan() else self

    def address(self, path: str) -> str:
        """Return where the face answers a path."""
        return f"{self.origin}/paypal{path}"


@dataclass(frozen=True, slots=True)
class Reply:
    """
    What a call is answered with: a status, and JSON unless the status says that there is nothing to tell.

    ``made`` is the object that a repeat of the call is told about; empty where a repeat is a call of its own.
    """

    status: int
    body: Body | None = None
    made: str = ""
