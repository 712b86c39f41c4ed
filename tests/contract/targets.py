"""What the contract of a provider is tried on: a simulator of the test run, or what script/certify was given."""

import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx

from apps.integrations.mpesa.balance import AccountBalance
from apps.integrations.mpesa.c2b import Inbound
from apps.integrations.mpesa.client import DarajaClient
from apps.integrations.mpesa.initiator import Initiator
from apps.integrations.mpesa.provider import MpesaCredentials
from apps.integrations.mpesa.pull import PullTransactions
from apps.integrations.mpesa.qr import DynamicQr
from apps.integrations.mpesa.reversal import Reversal
from apps.integrations.mpesa.status import TransactionStatus
from apps.integrations.mpesa.stk import StkPush
from apps.integrations.ports import (
    BalancePort,
    CollectionPort,
    InboundPort,
    QrPort,
    RefundPort,
    StatementPort,
    StatusPort,
)
from apps.kit import clock, http
from script.devkit.certifying import TARGET
from tests.callbacks import Arrived
from tests.integrations.daraja import Tokens
from tests.loopback import NO_TLS

DUE = 3
"""Seconds after which a simulator has decided what it was asked and sent its callback."""


@dataclass(frozen=True, slots=True)
class Line:
    """The product's own HTTP client, without the record of calls: nothing that is said here is kept."""

    client: http.Client

    def send(
        self,
        *,
        kind: str,  # noqa: ARG002 (names the call for a record that is not kept)
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes,
    ) -> http.Answer:
        return self.client.send(method, url, headers=headers, content=content)


@dataclass(slots=True, kw_only=True)
class Target:
    """
    One account with a provider, the phone that pays, and the address where the callbacks come.

    ``hurry`` lets so many seconds pass at once, where the time is a simulator's; ``patience`` is how many real seconds
    an answer may take.
    """

    base_url: str
    callback_url: str
    short_code: str
    phone: str
    arrived: list[Arrived]
    patience: float
    hurry: Callable[[int], None] | None = None
    ahead: timedelta = timedelta()

    def line(self) -> Line:
        is_simulated = self.base_url.startswith("http://")
        policy = http.AddressPolicy(
            allowed_loopback=(self.base_url,) if is_simulated else (), https_only=True
        )
        return Line(http.Client(policy=policy, read_timeout=30.0))

    def address(self, kind: str) -> str:
        """Return an address of its own for the answer to one request."""
        return f"{self.callback_url}/hooks/{secrets.token_hex(16)}/{secrets.token_hex(16)}/{kind}"

    def answer_to(self, address: str) -> Mapping[str, Any]:
        """Wait for the first callback that comes to an address, and return its body as the product reads it."""
        self._let_pass(DUE)
        path, until = urlsplit(address).path, time.monotonic() + self.patience
        while True:
            found = next((callback for callback in self.arrived if callback.path.endswith(path)), None)
            if found is not None:
                return http.parse_json(found.body)  # type: ignore[return-value]
            assert time.monotonic() < until, f"no callback came within {self.patience:.0f} s"
            time.sleep(0.05)

    def eventually[T](self, look: Callable[[], T | None]) -> T:
        """Ask until there is something; fail where there is nothing in time."""
        until = time.monotonic() + self.patience
        while (found := look()) is None:
            assert time.monotonic() < until, f"it was not there within {self.patience:.0f} s"
            time.sleep(min(1.0, self.patience / 20))
        return found

    def now(self) -> datetime:
        """Return the provider's time."""
        return clock.now() + self.ahead

    def _let_pass(self, seconds: int) -> None:
        if self.hurry is not None:
            self.hurry(seconds)
            self.ahead += timedelta(seconds=seconds)


@dataclass(slots=True, kw_only=True)
class MpesaTarget(Target):
    """One short code of M-Pesa."""

    pull_number: str
    certificate: str
    credentials: MpesaCredentials
    _tokens: Tokens = field(default_factory=Tokens, repr=False)

    def collection(self, *, passkey: str = "", consumer_secret: str = "") -> CollectionPort:
        """Return the port that asks payers; other secrets than the right ones are told to it with a token of their own."""
        return StkPush(
            client=self._client(consumer_secret),
            short_code=self.short_code,
            till_number="",
            passkey=passkey or self.credentials.passkey,
            clock=self.now,
        )

    def status(self) -> StatusPort:
        return TransactionStatus(self._client(), self.short_code, self._initiator())

    def refund(self, *, initiator_password: str = "") -> RefundPort:
        return Reversal(self._client(), self.short_code, self._initiator(initiator_password))

    def inbound(self) -> InboundPort:
        return Inbound(self._client(), self.short_code)

    def balance(self) -> BalancePort:
        return AccountBalance(self._client(), self.short_code, self._initiator())

    def qr(self) -> QrPort:
        return DynamicQr(self._client(), self.short_code, "", "Certificate")

    def pay_unasked(self, shillings: int, reference: str) -> None:
        """Have the phone pay of itself, by the call that Safaricom's sandbox has for that."""
        body = {
            "ShortCode": self.short_code,
            "CommandID": "CustomerPayBillOnline",
            "Amount": str(shillings),
            "Msisdn": self.phone.removeprefix("+"),
            "BillRefNumber": reference,
        }
        self._client().post("c2b_simulate", "/mpesa/c2b/v2/simulate", body)

    def statement(self) -> StatementPort:
        return PullTransactions(self._client(), self.short_code)

    def _client(self, consumer_secret: str = "") -> DarajaClient:
        return DarajaClient(
            base_url=self.base_url,
            consumer_key=self.credentials.consumer_key,
            consumer_secret=consumer_secret or self.credentials.consumer_secret,
            transport=self.line(),
            tokens=Tokens() if consumer_secret else self._tokens,
        )

    def _initiator(self, password: str = "") -> Initiator:
        secrets = self.credentials
        return Initiator(secrets.initiator, password or secrets.initiator_password, self.certificate)


def is_named(provider: str) -> bool:
    """Say whether script/certify tries this provider; otherwise its target is a simulator."""
    return os.environ.get(TARGET) == provider


def given(provider: str) -> dict[str, str]:
    """Return what script/certify was given for a provider: ``phone`` for TREASURY_CERTIFY_MPESA_PHONE."""
    prefix = f"TREASURY_CERTIFY_{provider.upper()}_"
    return {
        name.removeprefix(prefix).lower(): value
        for name, value in os.environ.items()
        if name.startswith(prefix)
    }


def control(url: str, method: str, path: str, body: object) -> None:
    """Have a simulator do something, and fail where it does not."""
    with httpx.Client(base_url=url, trust_env=False, timeout=10, verify=NO_TLS) as client:
        answer = client.request(method, f"/__control{path}", json=body)
    assert answer.is_success, answer.text
