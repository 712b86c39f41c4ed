"""
What holds of exchange rates from every source, whatever it does: each fault, then an answer that is sound.

A source is a face of the simulator; a new adapter adds its own and passes the same cases. After each: nothing is
recorded of an answer that is no sheet, what was wrong is said once, what reads rates is refused and not given another,
and the next asking records the whole sheet, each rate once.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from apps.events.models import OutboxEvent
from apps.integrations.services import rate_sources
from apps.ledger.models import FxRate
from apps.ledger.selectors import rates as stored
from apps.ledger.services import rate_fetches
from apps.simulator import server
from tests.factories import fx
from tests.loopback import NO_TLS

NOW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
PAIRS = {"ecb": ("EUR", "USD"), "cbk": ("USD", "KES"), "quotes": ("USD", "KES")}


@dataclass(frozen=True)
class Case:
    """One fault: what the source does with the question, and what is said of it."""

    name: str
    actions: tuple[Any, ...]
    said: str


CASES = [
    Case("reset", ("reset",), "rates_unreachable"),
    Case("hang", ("hang",), "rates_unreachable"),
    Case("500", ({"action": "status", "status": 500},), "rates_unreachable"),
    Case("rate limit", ({"action": "rate_limit", "code": "429"},), "rates_unreachable"),
    Case("refused", ({"action": "status", "status": 403},), "rates_refused"),
    Case("gone", ({"action": "status", "status": 404},), "rates_refused"),
    Case("elsewhere", ({"action": "status", "status": 301},), "rates_unreachable"),
    Case("html", ({"action": "html_error", "status": 200},), "rates_unreadable"),
    Case("empty", ("empty_body",), "rates_unreadable"),
    Case("bomb", ("xml_bomb",), "rates_unreadable"),
    Case("not text", ({"action": "status", "status": 200, "body": "\x00\x01"},), "rates_unreadable"),
]


@pytest.fixture
def street(acme, tmp_path: Path, settings, monkeypatch):
    """A simulator with all sources, on a Tuesday evening."""
    running = server.serve(host="127.0.0.1", port=0, store_path=tmp_path / "simulator.sqlite3", seed=7)
    urls = {name: f"{running.url}/rates/{name}" for name in rate_sources.SOURCES}
    settings.TREASURY = {**settings.TREASURY, "SIMULATOR_URL": running.url, "RATE_URLS": urls}
    monkeypatch.setattr(rate_sources, "READ_TIMEOUT", 0.5)
    fx.office()
    with httpx.Client(
        base_url=f"{running.url}/__control", trust_env=False, timeout=10, verify=NO_TLS
    ) as client:
        stopped = {"at": "2026-11-24T21:00:00+03:00", "stopped": True}
        assert client.post("/clock", json=stopped).is_success
        yield client
    running.close()


@pytest.mark.parametrize("source", rate_sources.SOURCES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_whatever_happens_nothing_is_guessed_and_the_next_answer_is_taken(street, source, case):
    script = {"match": {"face": "rates", "path": f"/{source}"}, "actions": list(case.actions)}
    assert street.post("/scripts", json=script).is_success

    failed = rate_fetches.fetch(source=source, now=NOW)

    assert (failed.trouble, FxRate.objects.count()) == (case.said, 0)
    assert [event.data["reason"] for event in OutboxEvent.objects.all()] == [case.said]
    with pytest.raises(stored.RateMissing):
        stored.latest(*PAIRS[source], at=NOW, now=NOW)

    taken = [rate_fetches.fetch(source=source, now=NOW) for _ in range(2)]

    assert [one.trouble for one in taken] == ["", ""]
    assert FxRate.objects.filter(source=source.upper()).count() == sum(taken[0].rows.values())
    assert stored.latest(*PAIRS[source], at=NOW, now=NOW).ratio > 0


def test_every_source_has_a_pair_to_be_tried_with():
    assert PAIRS.keys() == rate_sources.SOURCES.keys()
