"""
The euro's reference rates of the European Central Bank, as its daily XML file has them.

The file (``eurofxref-daily.xml``) is an envelope of GESMES with one ``Cube`` for the day (``time``) and one inside it for
each currency (``currency``, ``rate``): units of the currency for one euro. It holds some thirty currencies, not the
Kenyan shilling. The rates are of about 14:15 in Frankfurt and are published at about 16:00 on days on which the TARGET
system works.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from xml.parsers import expat
from zoneinfo import ZoneInfo

from apps.integrations.ports import RateRow, RateSheet
from apps.integrations.rates import numbers
from apps.integrations.rates.line import Line, unreadable

EURO = "EUR"
FRANKFURT = ZoneInfo("Europe/Berlin")
FIXED_AT = time(14, 15)
CUBE = "Cube"


class DoctypeFound(Exception):
    """The document declares a type or an entity: it is not read any further."""


@dataclass(frozen=True, slots=True)
class EcbRates:
    """The daily file of the ECB as a rate port."""

    line: Line

    def fetch(self) -> RateSheet:
        return read(self.line.get(accept="application/xml, text/xml"))


def read(body: bytes) -> RateSheet:
    """Read the file; raise ProviderUnavailable for what is none. Documents that declare entities are not read at all."""
    cubes = _Cubes()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.StartElementHandler = cubes.start
    try:
        parser.Parse(body, True)  # noqa: FBT003 (that this is all, by position only)
    except (expat.ExpatError, DoctypeFound, ValueError, LookupError) as error:
        raise unreadable(f"The answer is no XML of rates: {error}") from error
    if cubes.day is None:
        raise unreadable("The answer names no day.")
    as_of = numbers.instant(cubes.day, FIXED_AT, FRANKFURT)
    return RateSheet(tuple(cubes.rows(as_of)), unreadable=cubes.count_unreadable())


@dataclass(slots=True)
class _Cubes:
    """What the elements of the file say; nothing else of it is kept."""

    day: date | None = None
    said: list[tuple[str, str]] = field(default_factory=list)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(" ")[2] != CUBE:
            return
        if "time" in attributes:
            self.day = numbers.day(attributes["time"], "%Y-%m-%d")
        if "currency" in attributes:
            self.said.append((attributes["currency"], attributes.get("rate", "")))

    def rows(self, as_of: datetime) -> list[RateRow]:
        read_ = [(currency, numbers.decimal(text)) for currency, text in self.said]
        return [RateRow(EURO, currency, rate, as_of) for currency, rate in read_ if rate is not None]

    def count_unreadable(self) -> int:
        return sum(numbers.decimal(text) is None for _, text in self.said)


def _refuse(*_: object) -> None:
    raise DoctypeFound("it declares a document type or an entity")
