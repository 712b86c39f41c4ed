"""Rate sources: what each publishes is read exactly, and whatever else comes is an error and never a rate."""

import ast
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from apps.integrations.ports import ProviderDeclined, ProviderUnavailable, RateRow
from apps.integrations.rates import cbk, ecb, quotes
from apps.integrations.services import rate_sources
from apps.kit import clock
from apps.simulator.services.faults import XML_BOMB

PAYLOADS = settings.BASE_DIR / "tests" / "payloads" / "rates"
FRANKFURT_1415 = datetime(2026, 11, 23, 13, 15, tzinfo=UTC)
NAIROBI_MIDNIGHT = datetime(2026, 11, 23, 21, tzinfo=UTC)
READERS = {"ecb": ecb.read, "cbk": cbk.read, "quotes": quotes.read}
WAYS_OUT = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY out SYSTEM "file:///etc/passwd">]>
<x><Cube time='2026-11-23'><Cube currency='USD' rate='&out;'/></Cube></x>"""


def row(base: str, quote: str, rate: str, as_of: datetime) -> RateRow:
    return RateRow(base, quote, Decimal(rate), as_of)


def test_reads_the_file_of_the_ecb():
    sheet = ecb.read((PAYLOADS / "ecb.xml").read_bytes())

    assert sheet.unreadable == 0
    assert sheet.rows == (
        row("EUR", "USD", "1.0921", FRANKFURT_1415),
        row("EUR", "JPY", "157.43", FRANKFURT_1415),
        row("EUR", "ISK", "149.90", FRANKFURT_1415),
    )


def test_reads_the_last_day_of_the_table_of_the_cbk():
    sheet = cbk.read((PAYLOADS / "cbk.csv").read_bytes())

    assert sheet.unreadable == 0
    assert sheet.rows == (
        row("USD", "KES", "129.2406", NAIROBI_MIDNIGHT),
        row("JPY", "KES", "0.820940", NAIROBI_MIDNIGHT),
        row("KES", "UGX", "28.5314", NAIROBI_MIDNIGHT),
    )


@pytest.mark.parametrize(
    "line", ["2026-11-24,EURO,141.14", "24-11-2026, euro ,141.14,141.1,141.2", "\ufeff24/11/2026,EURO,141.14"]
)
def test_reads_the_other_ways_of_writing_the_table(line):
    assert cbk.read(line.encode()).rows == (row("EUR", "KES", "141.14", NAIROBI_MIDNIGHT),)


def test_reads_quotes():
    as_of = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)

    assert quotes.read((PAYLOADS / "quotes.json").read_bytes()).rows == (
        row("USD", "KES", "129.4567", as_of),
        row("EUR", "USD", "1.0918", as_of),
    )


@pytest.mark.parametrize(
    "text", ["", "NaN", "1e3", "1,092.1", " 1.09", "+1", "1.", "0x1", "9" * 19, "1." + "0" * 19]
)
def test_counts_the_rows_that_are_no_number(text):
    xml = f"<x><Cube time='2026-11-23'><Cube currency='USD' rate='{text}'/><Cube currency='GBP' rate='0.86'/></Cube></x>"
    table = f'24/11/2026,US DOLLAR,"{text}"\n24/11/2026,STG POUND,163.8\n'
    quoted = (
        f'{{"as_of": "2026-11-24T07:30:00Z", "rates": [{{"base": "USD", "quote": "KES", "rate": "{text}"}},'
        ' {"base": "GBP", "quote": "KES", "rate": 163.8}]}'
    )

    assert [
        (len(sheet.rows), sheet.unreadable)
        for sheet in (ecb.read(xml.encode()), quotes.read(quoted.encode()))
    ] == [
        (1, 1),
        (1, 1),
    ]
    if text.strip() == text:  # the table's cells are stripped
        assert (len(cbk.read(table.encode()).rows), cbk.read(table.encode()).unreadable) == (1, 1)


@pytest.mark.parametrize(
    "entry",
    [
        "1",
        "null",
        "[]",
        '{"base": 1, "quote": "KES", "rate": 1}',
        '{"base": "USD", "rate": 1}',
        '{"base": "USD", "quote": "KES", "rate": true}',
    ],
)
def test_counts_the_quotes_that_are_none(entry):
    sheet = quotes.read(f'{{"as_of": "2026-11-24T07:30:00Z", "rates": [{entry}]}}'.encode())

    assert (sheet.rows, sheet.unreadable) == ((), 1)


def test_a_currency_that_the_table_calls_otherwise_is_unreadable():
    sheet = cbk.read(b"24/11/2026,ZIMBABWE GOLD,4.1\n24/11/2026,EURO,141.14\n")

    assert (len(sheet.rows), sheet.unreadable) == (1, 1)


@pytest.mark.parametrize(
    ("reader", "body"),
    [
        ("ecb", XML_BOMB.encode()),
        ("ecb", WAYS_OUT.encode()),
        ("ecb", XML_BOMB.encode("utf-16")),
        ("ecb", b'<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd"><x/>'),
        ("ecb", b"<x><Cube time='2026-11-23'>"),
        ("ecb", b"<x/>"),
        ("ecb", b"<x><Cube time='yesterday'/></x>"),
        ("ecb", b'<?xml version="1.0" encoding="klingon"?><x/>'),
        ("ecb", b"<html><body>502"),
        ("ecb", b""),
        ("ecb", b"\x00\xff"),
        ("cbk", b"<html><body>502 Bad Gateway</body></html>"),
        ("cbk", b"\xff\xfe\x00"),
        ("cbk", b'24/11/2026,"US DOLLAR,129'),
        ("cbk", b"Date,Currency,Mean\r\n"),
        ("cbk", b"32/13/2026,US DOLLAR,129\r\n"),
        ("cbk", b""),
        ("quotes", b"{"),
        ("quotes", b"[]"),
        ("quotes", b'{"as_of": "2026-11-24T07:30:00Z"}'),
        ("quotes", b'{"as_of": "2026-11-24T07:30:00", "rates": []}'),
        ("quotes", b'{"as_of": 5, "rates": []}'),
        ("quotes", b'{"rates": []}'),
        ("quotes", b"[" * 100_000),
        ("quotes", b""),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else repr(value[:18]),
)
def test_what_is_no_sheet_is_an_error_at_once(reader, body):
    began = time.monotonic()

    with pytest.raises(ProviderUnavailable) as refusal:
        READERS[reader](body)

    assert refusal.value.code == "rates_unreadable"
    assert time.monotonic() - began < 1


@dataclass
class Source:
    """The address of a source at the simulator, and how to have it publish or go wrong."""

    simulator: Any
    settings: Any
    name: str = "ecb"
    urls: dict[str, str] = field(default_factory=dict)

    def fetch(self):
        urls = {self.name: f"{self.simulator.url}/rates/{self.name}"}
        self.settings.TREASURY = {**self.settings.TREASURY, "RATE_URLS": urls}
        return rate_sources.port(self.name).fetch()

    def script(self, *actions: object) -> None:
        match = {"face": "rates", "path": f"/{self.name}"}
        answer = self.simulator.http.post(
            "/__control/scripts", json={"match": match, "actions": list(actions)}
        )
        assert answer.status_code == 201, answer.text


@pytest.fixture
def source(acme, simulator, settings) -> Source:
    return Source(simulator, settings)


@pytest.mark.parametrize("name", ["ecb", "cbk", "quotes"])
def test_reads_what_the_simulator_publishes(source, name):
    source.name = name

    sheet = source.fetch()

    assert sheet.unreadable == 0
    assert len(sheet.rows) >= 2
    assert all(found.as_of < clock.now() for found in sheet.rows)


@pytest.mark.parametrize("name", ["ecb", "cbk", "quotes"])
@pytest.mark.parametrize(
    ("actions", "code"),
    [
        (["reset"], "rates_unreachable"),
        ([{"action": "status", "status": 500}], "rates_unreachable"),
        ([{"action": "status", "status": 503}], "rates_unreachable"),
        ([{"action": "rate_limit", "code": "429"}], "rates_unreachable"),
        ([{"action": "status", "status": 302}], "rates_unreachable"),
        (["html_error"], "rates_unreachable"),
        ([{"action": "html_error", "status": 200}], "rates_unreadable"),
        (["empty_body"], "rates_unreadable"),
        (["xml_bomb"], "rates_unreadable"),
    ],
    ids=str,
)
def test_an_answer_that_went_wrong_may_be_asked_for_again(source, name, actions, code):
    source.name = name
    source.script(*actions)

    with pytest.raises(ProviderUnavailable) as refusal:
        source.fetch()

    assert refusal.value.code == code
    assert len(source.fetch().rows) >= 2


@pytest.mark.parametrize("name", ["ecb", "quotes"])
def test_a_sheet_that_breaks_off_is_none(source, name):
    source.name = name
    source.script("malformed_json")

    with pytest.raises(ProviderUnavailable, match="no "):
        source.fetch()


def test_a_source_that_does_not_know_us_refuses(source):
    source.script({"action": "status", "status": 403})

    with pytest.raises(ProviderDeclined) as refusal:
        source.fetch()

    assert (refusal.value.code, refusal.value.provider_code) == ("rates_refused", "403")


def test_a_slow_source_is_given_up(source, monkeypatch):
    monkeypatch.setattr(rate_sources, "READ_TIMEOUT", 0.3)
    source.script("hang")

    with pytest.raises(ProviderUnavailable) as refusal:
        source.fetch()

    assert refusal.value.provider_code == "timeout"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/rates/ecb", "http://10.0.0.1/rates", "file:///etc/passwd"]
)
def test_only_public_addresses_and_the_simulator_are_asked(acme, settings, url):
    settings.TREASURY = {
        **settings.TREASURY,
        "RATE_URLS": {"ecb": url},
        "SIMULATOR_URL": "http://127.0.0.1:2",
    }

    with pytest.raises(ProviderUnavailable) as refusal:
        rate_sources.port("ecb").fetch()

    assert refusal.value.provider_code == "blocked"


def test_a_source_without_an_address_is_not_asked(acme):
    assert rate_sources.configured() == []
    with pytest.raises(rate_sources.SourceUnknown):
        rate_sources.port("ecb")


def test_refuses_to_wait_for_an_answer_inside_a_transaction(committed_acme, settings):
    settings.TREASURY = {**settings.TREASURY, "RATE_URLS": {"ecb": "https://example.test/"}}

    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        rate_sources.port("ecb")


def test_an_adapter_knows_no_framework_and_no_clock():
    for path in (settings.BASE_DIR / "apps" / "integrations" / "rates").glob("*.py"):
        imported = {
            name
            for node in ast.walk(ast.parse(path.read_text()))
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        assert not [name for name in imported if name.startswith(("django", "apps.kit.clock"))], path
