"""
Rates of a provider as JSON: the form that we ask of anybody who quotes to us.

    {"as_of": "2026-11-24T07:30:00Z", "rates": [{"base": "USD", "quote": "KES", "rate": "129.4567"}]}

``rate`` is a text, or a number with its decimals as written. No provider is known to speak it by itself: it is what a small
translator in front of one has to give.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from apps.integrations.ports import RateRow, RateSheet
from apps.integrations.rates import numbers
from apps.integrations.rates.line import Line, unreadable
from apps.kit import http


@dataclass(frozen=True, slots=True)
class QuotedRates:
    """A provider's list of quotes as a rate port."""

    line: Line

    def fetch(self) -> RateSheet:
        return read(self.line.get(accept="application/json"))


def read(body: bytes) -> RateSheet:
    """Read the list; raise ProviderUnavailable for what is none."""
    try:
        content = http.parse_json(body)
    except ValueError as error:
        raise unreadable(f"The answer is no JSON: {error}") from error
    if not isinstance(content, Mapping) or not isinstance(content.get("rates"), list):
        raise unreadable("The answer has no list of rates.")
    as_of = _instant(content.get("as_of"))
    rows = [_row(entry, as_of) for entry in content["rates"]]
    read_ = tuple(row for row in rows if row is not None)
    return RateSheet(read_, unreadable=len(rows) - len(read_))


def _instant(value: object) -> datetime:
    try:
        as_of = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        as_of = None
    if as_of is None or as_of.tzinfo is None:
        raise unreadable("as_of is no instant with its zone.")
    return as_of


def _row(entry: object, as_of: datetime) -> RateRow | None:
    if not isinstance(entry, Mapping):
        return None
    base, quote, rate = entry.get("base"), entry.get("quote"), entry.get("rate")
    is_number = isinstance(rate, str | int | Decimal) and not isinstance(rate, bool)
    value = numbers.decimal(str(rate)) if is_number else None
    if not isinstance(base, str) or not isinstance(quote, str) or value is None:
        return None
    return RateRow(base, quote, value, as_of)
