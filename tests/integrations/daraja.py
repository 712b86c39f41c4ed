"""What stands at the edge of the M-Pesa adapter in its pure tests: a line with scripted answers and a token store."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from apps.integrations.mpesa.balance import AccountBalance
from apps.integrations.mpesa.c2b import Inbound
from apps.integrations.mpesa.client import DarajaClient
from apps.integrations.mpesa.initiator import Initiator
from apps.integrations.mpesa.pull import PullTransactions
from apps.integrations.mpesa.qr import DynamicQr
from apps.integrations.mpesa.reversal import Reversal
from apps.integrations.mpesa.status import TransactionStatus
from apps.integrations.mpesa.stk import StkPush
from apps.integrations.ports import CollectionRequest, Token
from apps.kit import http
from apps.kit.money import Money

PAYLOADS = Path(__file__).resolve().parent.parent / "payloads" / "mpesa"
AT = datetime(2021, 6, 28, 6, 24, 8, tzinfo=UTC)
SHORT_CODE = "174379"
SANDBOX_PASSKEY = "bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919"
TICKET = "ws_CO_191220191020363925"
CALLBACK_URL = (
    "https://pay.example.test/hooks/0189d3a0c1f07c3e9b1a5b0c7d8e9f00/3f9c00ab3f9c00ab3f9c00ab3f9c00ab/stk"
)


def payload(name: str) -> bytes:
    return (PAYLOADS / name).read_bytes()


def parsed(name: str) -> Any:
    return http.parse_json(payload(name))


def answer(name: str, status: int = 200) -> http.Answer:
    return http.Answer(status, {"content-type": "application/json"}, payload(name), 12, "196.201.214.200")


def said(body: object, status: int = 200) -> http.Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return http.Answer(status, {}, content, 12, "196.201.214.200")


def refused(code: str, message: str, status: int = 500) -> http.Answer:
    return said({"requestId": "1c5b", "errorCode": code, "errorMessage": message}, status)


@dataclass
class Line:
    """Gives the scripted answers in turn and keeps what was sent; a token request has an answer of its own."""

    answers: list[http.Answer | Exception] = field(default_factory=list)
    token: http.Answer | Exception = field(default_factory=lambda: answer("token.json"))
    sent: list[dict[str, Any]] = field(default_factory=list)

    def send(
        self, *, kind: str, method: str, url: str, headers: Mapping[str, str], content: bytes
    ) -> http.Answer:
        body = json.loads(content) if content else None
        self.sent.append({"kind": kind, "method": method, "url": url, "headers": headers, "body": body})
        found = self.token if kind == "oauth" else self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    @property
    def kinds(self) -> list[str]:
        return [request["kind"] for request in self.sent]

    @property
    def orders(self) -> list[dict[str, Any]]:
        return [request for request in self.sent if request["kind"] != "oauth"]


@dataclass
class Tokens:
    """Keeps a token as the real store does, in this process only."""

    kept: str = ""
    seconds: int = 0

    def get(self, fetch: Callable[[], Token]) -> str:
        if not self.kept:
            token = fetch()
            self.kept, self.seconds = token.value, token.seconds
        return self.kept

    def forget(self, token: str) -> None:
        if self.kept == token:
            self.kept = ""


def client(line: Line, tokens: Tokens | None = None) -> DarajaClient:
    return DarajaClient("https://sandbox.safaricom.co.ke", "key", "secret", line, tokens or Tokens())


def stk(*answers: http.Answer | Exception, till_number: str = "") -> tuple[StkPush, Line]:
    line = Line(list(answers))
    return StkPush(client(line), SHORT_CODE, till_number, SANDBOX_PASSKEY, lambda: AT), line


def status_port(*answers: http.Answer | Exception, certificate: str = "") -> tuple[TransactionStatus, Line]:
    line = Line(list(answers))
    return TransactionStatus(client(line), SHORT_CODE, _initiator(certificate)), line


def refund_port(*answers: http.Answer | Exception, certificate: str = "") -> tuple[Reversal, Line]:
    line = Line(list(answers))
    return Reversal(client(line), SHORT_CODE, _initiator(certificate)), line


def statement_port(*answers: http.Answer | Exception, method: str = "POST") -> tuple[PullTransactions, Line]:
    line = Line(list(answers))
    return PullTransactions(client(line), SHORT_CODE, method), line


def inbound_port(*answers: http.Answer | Exception, version: str = "v2") -> tuple[Inbound, Line]:
    line = Line(list(answers))
    return Inbound(client(line), SHORT_CODE, version), line


def balance_port(*answers: http.Answer | Exception, certificate: str = "") -> tuple[AccountBalance, Line]:
    line = Line(list(answers))
    return AccountBalance(client(line), SHORT_CODE, _initiator(certificate)), line


def qr_port(*answers: http.Answer | Exception, till_number: str = "") -> tuple[DynamicQr, Line]:
    line = Line(list(answers))
    return DynamicQr(client(line), SHORT_CODE, till_number, "Acme Traders of Westlands"), line


def _initiator(certificate: str) -> Initiator:
    return Initiator("testapi", "Safaricom123", certificate)


def certified(key: Any) -> str:
    """Return a certificate of this key in PEM, as Safaricom gives them out."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "M-Pesa API")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM).decode()


def order(**changes: Any) -> CollectionRequest:
    chosen = {
        "money": Money(1_500_00, "KES"),
        "phone": "+254708374149",
        "code": "K7PQ2M4XRT",
        "description": "Lunch for two at the office",
        "callback_url": CALLBACK_URL,
    }
    return CollectionRequest(**{**chosen, **changes})
