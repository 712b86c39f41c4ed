"""The values that pass between the parts of the Stripe face; money is an integer of a currency's smallest unit."""

import sqlite3
from dataclasses import dataclass, field, replace
from typing import Any

from apps.simulator.contracts import Plan

Body = dict[str, Any]
"""A Stripe object as its JSON shows it."""


class StripeRefusal(Exception):
    """Stripe's own error: status, type, code and message as its clients read them."""

    def __init__(self, status: int, message: str, **details: Any) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = {"type": "invalid_request_error"} | details


@dataclass(frozen=True, slots=True)
class Account:
    """
    A Stripe account: ``platform`` is the account through whose key a connected one is used, empty for one with its own.

    It settles in ``currency``; ``rates`` say what one unit of another currency becomes of it, before ``fee_bps`` and
    ``fee_fixed`` are taken. ``may_overdraw``: transfers may take its balance below zero, which Stripe itself refuses.
    """

    id: str
    name: str
    secret_key: str
    country: str = "US"
    currency: str = "usd"
    fee_bps: int = 290
    fee_fixed: int = 30
    dispute_fee: int = 1_500
    rates: dict[str, str] = field(default_factory=dict)
    platform: str = ""
    may_overdraw: bool = False

    @property
    def is_live(self) -> bool:
        """Say whether the money of the account counts as real."""
        return "_live_" in self.secret_key


@dataclass(frozen=True, slots=True)
class Scope:
    """
    One account at one moment, within one transaction: what every step of a call or of a happening works with.

    ``plan`` is what a script wants of it, ``origin`` is where the hosted pages are, ``request`` and ``key`` name the
    call for its events.
    """

    tx: sqlite3.Connection
    account: Account
    now: int
    plan: Plan = field(default_factory=Plan)
    origin: str = ""
    request: str = ""
    key: str = ""

    @property
    def seconds(self) -> int:
        """Return the time as Stripe tells it."""
        return self.now // 1_000

    def under(self, plan: Plan) -> "Scope":
        """Return the scope under the plan of an older object, unless the call has brought one of its own."""
        return replace(self, plan=plan) if self.plan == Plan() else self
