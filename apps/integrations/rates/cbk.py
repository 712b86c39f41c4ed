"""
The indicative rates of the Central Bank of Kenya, as its table of them is exported to CSV.

Each row has a date (DD/MM/YYYY, in some exports YYYY-MM-DD), the currency in the bank's own words, and the mean rate; buying
and selling rates may follow and are not read. Rows are shillings for one unit, but for "JPY (100)", which is for a hundred,
and for "KES / USHS" and its like, which are units for one shilling. There may be a heading, and rows of earlier days:
only those of the last day count.

Taken from the bank's published tables and from programs that read them. Not confirmed: an address that gives the CSV without
a person (the bank's page makes it in the browser), the columns of today's export, and its time of day; a day's rates are
taken to hold from its beginning in Nairobi.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from types import MappingProxyType
from zoneinfo import ZoneInfo

from apps.integrations.ports import RateRow, RateSheet
from apps.integrations.rates import numbers
from apps.integrations.rates.line import Line, unreadable

SHILLING = "KES"
NAIROBI = ZoneInfo("Africa/Nairobi")
DAY_FORMS = ("%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y")
COLUMNS = 3
PER_UNIT: Mapping[str, str] = MappingProxyType(
    {
        "US DOLLAR": "USD",
        "STG POUND": "GBP",
        "EURO": "EUR",
        "SA RAND": "ZAR",
        "AE DIRHAM": "AED",
        "CAN $": "CAD",
        "S FRANC": "CHF",
        "SW KRONER": "SEK",
        "NOR KRONER": "NOK",
        "DAN KRONER": "DKK",
        "IND RUPEE": "INR",
        "HONGKONG DOLLAR": "HKD",
        "SINGAPORE DOLLAR": "SGD",
        "SAUDI RIYAL": "SAR",
        "CHINESE YUAN": "CNY",
        "AUSTRALIAN $": "AUD",
    }
)
"""Shillings for one unit."""
PER_HUNDRED: Mapping[str, str] = MappingProxyType({"JPY (100)": "JPY"})
"""Shillings for a hundred units."""
PER_SHILLING: Mapping[str, str] = MappingProxyType(
    {"KES / USHS": "UGX", "KES / TSHS": "TZS", "KES / RWF": "RWF", "KES / BIF": "BIF"}
)
"""Units for one shilling."""


@dataclass(frozen=True, slots=True)
class CbkRates:
    """The exported table of the CBK as a rate port."""

    line: Line

    def fetch(self) -> RateSheet:
        return read(self.line.get(accept="text/csv"))


def read(body: bytes) -> RateSheet:
    """Read the last day of an export; raise ProviderUnavailable for what is none."""
    try:
        lines = list(csv.reader(body.decode("utf-8-sig").splitlines(), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise unreadable(f"The answer is no CSV: {error}") from error
    dated = list(_dated(lines))
    if not dated:
        raise unreadable("The answer has no row with a date.")
    last = max(day for day, _ in dated)
    rows = [_row(cells, last) for day, cells in dated if day == last]
    read_ = tuple(row for row in rows if row is not None)
    return RateSheet(read_, unreadable=len(rows) - len(read_))


def _dated(lines: list[list[str]]) -> Iterator[tuple[date, list[str]]]:
    """Yield the rows that begin with a date; a heading and empty lines have none."""
    for cells in lines:
        day = numbers.day(cells[0].strip(), *DAY_FORMS) if len(cells) >= COLUMNS else None
        if day is not None:
            yield day, [cell.strip() for cell in cells]


def _row(cells: list[str], day: date) -> RateRow | None:
    label, rate = " ".join(cells[1].upper().split()), numbers.decimal(cells[2])
    if rate is None:
        return None
    as_of = numbers.instant(day, time.min, NAIROBI)
    if label in PER_SHILLING:
        return RateRow(SHILLING, PER_SHILLING[label], rate, as_of)
    if label in PER_HUNDRED:
        return RateRow(PER_HUNDRED[label], SHILLING, rate.scaleb(-2), as_of)
    return RateRow(PER_UNIT[label], SHILLING, rate, as_of) if label in PER_UNIT else None
