"""docs/proof.md: every outside system has a row that says by what it is proven, and never claims more than there is."""

import re
from dataclasses import dataclass

import pytest
from django.conf import settings

from apps.integrations.services import providers
from treasury.settings import env

ROOT = settings.BASE_DIR
PAGE = ROOT / "docs" / "proof.md"
PATH = re.compile(r"`(tests/[\w./-]+)`")
PROOF = re.compile(
    r"real server|foreign client|simulator|real sandbox \(\[\d{4}-\d{2}-\d{2}\]\((proof-reports/[\w.-]+)\)\)"
)
NOT_YET = "not yet"
LEADS_OUTSIDE = re.compile(r"_(URL|DSN|ENDPOINT|HOST|ADDRESS)$")
OUR_OWN = {"TREASURY_HTTP_HOST", "TREASURY_PUBLIC_URL", "TREASURY_SIMULATOR_URL"}
NAMES = {
    "mpesa": "M-Pesa",
    "stripe": "Stripe",
    "paypal": "PayPal",
    "ecb": "European Central Bank",
    "cbk": "Central Bank of Kenya",
    "quotes": "A provider's exchange rates",
}
RATES = {"RatePort": ("exchange rates",)}
CERTIFIED = {
    "mpesa": {
        "BalancePort": ("account balance",),
        "CollectionPort": ("STK push", "STK query"),
        "ConnectionPort": ("access token (OAuth)",),
        "InboundPort": ("C2B",),
        "QrPort": ("dynamic QR",),
        "RefundPort": ("reversal",),
        "StatementPort": ("pull transactions",),
        "StatusPort": ("transaction status",),
    },
    "stripe": {
        "CapturePort": ("capture", "release"),
        "CollectionPort": ("checkout", "questions after a payment"),
        "ConnectPort": ("connected accounts",),
        "ConnectionPort": ("its own account",),
        "DisputePort": ("disputes",),
        "MethodPort": ("kept cards",),
        "RefundPort": ("refunds",),
        "RefundQueryPort": ("questions after a refund",),
        "RefundSearchPort": ("searches for a refund",),
        "StatementPort": ("balance transactions",),
        "TransferPort": ("transfers",),
        "WebhookPort": ("signed messages",),
    },
    "paypal": {
        "AppealPort": ("appeals",),
        "CapturePort": ("capture", "release"),
        "CollectionPort": ("orders", "questions after a payment"),
        "ConnectionPort": ("access token",),
        "DisputePort": ("disputes",),
        "MethodPort": ("kept wallets",),
        "RefundPort": ("refunds",),
        "RefundQueryPort": ("questions after a refund",),
        "RefundSearchPort": ("searches for a refund",),
        "StatementPort": ("transaction search",),
        "WebhookPort": ("signed messages",),
    },
    "ecb": RATES,
    "cbk": RATES,
    "quotes": RATES,
}
"""What the page calls the ports of each provider."""


@dataclass(frozen=True)
class Row:
    system: str
    what: str
    proof: str
    tests: str


def rows() -> list[Row]:
    table = PAGE.read_text(encoding="utf-8").partition("## Outside systems")[2].partition("\n## ")[0]
    cells = [line.strip("|\n").split("|") for line in table.splitlines() if line.startswith("| ")]
    return [Row(*(cell.strip() for cell in found)) for found in cells[1:]]


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.system}, {row.what}")
def test_a_row_says_by_what_it_is_proven(row):
    named = PATH.findall(row.tests)

    assert [path for path in named if not (ROOT / path).exists()] == []
    if row.proof == NOT_YET:
        assert named == []
        return
    assert named != []
    assert [part for part in row.proof.split(", ") if not PROOF.fullmatch(part)] == []
    reports = [report for report in PROOF.findall(row.proof) if report]
    assert [report for report in reports if not (PAGE.parent / report).exists()] == []


def test_every_provider_has_a_row_for_each_port_that_it_keeps():
    found = {(row.system, name) for row in rows() for name in row.what.partition(":")[0].split(" and ")}
    wanted = {
        (NAMES[provider], what)
        for provider, ports in providers.PORTS.items()
        for port in ports
        for what in CERTIFIED[provider][port.__name__]
    }

    assert wanted - found == set()


def test_every_variable_that_leads_outside_is_in_a_row():
    said = " ".join(row.what for row in rows())
    outside = {name for name in env.VARIABLES if LEADS_OUTSIDE.search(name)} - OUR_OWN

    assert {name for name in outside if f"`{name}`" not in said} == set()


def test_claims_no_sandbox_without_a_report_of_one():
    text = PAGE.read_text(encoding="utf-8")

    for row in rows():
        assert "real sandbox" not in row.proof or "proof-reports/" in row.proof
    assert "(simulator" not in "".join(re.findall(r"proof-reports/[\w.-]+", text))
