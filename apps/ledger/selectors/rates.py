"""Exchange rates: the last one of two currencies, straight, turned round, or across the functional currency."""

import math
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal
from fractions import Fraction
from typing import Self
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from apps.kit import errors, ids, money
from apps.kit.money import Money
from apps.ledger.models import Book, Currency, FxRate
from apps.tenancy.selectors import organisations

PREFIX = "fxr"
MAX_AGE_DAYS = 4
"""How old a rate may be while the book is not open yet."""
SHOWN = Context(prec=12)


class RateMissing(errors.DomainError):
    """No rate of the two currencies is known for that time."""

    code = "fx_rate_missing"
    title = "Exchange rate missing"


class RateStale(errors.DomainError):
    """The last rate of the two currencies is older than the book allows."""

    code = "fx_rate_stale"
    title = "Exchange rate too old"


@dataclass(frozen=True, slots=True)
class Rate:
    """
    What one whole unit of ``base`` is worth in ``quote``, exact: a rate that was turned round is no endless decimal here.

    ``source`` says whose it is and which way it was come by, ``ids`` are the rows that it is of; ``as_of`` is that of the
    older one of two.
    """

    base: str
    quote: str
    ratio: Fraction
    as_of: datetime
    source: str
    ids: tuple[UUID, ...] = ()

    @property
    def text(self) -> str:
        """The rate for people: 12 significant digits."""
        shown = SHOWN.divide(Decimal(self.ratio.numerator), Decimal(self.ratio.denominator))
        return f"{shown.normalize(SHOWN):f}"

    def dimensions(self) -> dict[str, str]:
        """What a transaction that was booked at this rate says of it."""
        rows = ", ".join(ids.encode(PREFIX, row) for row in self.ids)
        return {
            "rate": self.text,
            "rate_source": self.source,
            "rate_as_of": self.as_of.isoformat(),
            "rate_ids": rows,
        }

    def nearest(self, sum_: Money) -> Money:
        """Return ``sum_`` in the other currency, half a minor unit to the even one."""
        return Money(round(self._exact(sum_)), self.quote)

    def below(self, sum_: Money) -> Money:
        """Return ``sum_`` in the other currency, what is less than a minor unit left out."""
        return Money(math.floor(self._exact(sum_)), self.quote)

    def _exact(self, sum_: Money) -> Fraction:
        if sum_.currency != self.base:
            raise money.CurrencyMismatch(f"A rate of {self.base} does not convert {sum_.currency}.")
        shift = money.exponent(self.quote) - money.exponent(self.base)
        return Fraction(sum_.minor) * self.ratio * Fraction(10) ** shift


def functional_currency() -> str:
    """Return the currency that the book is kept in: until it is open, the organisation's base currency."""
    book = Book.objects.first()
    return book.functional_currency if book else organisations.current().base_currency


def end_of(day: date, of_book: ZoneInfo | None = None) -> datetime:
    """Return the last instant of a day in the book's zone: the rate of the day is the one that holds then."""
    return datetime.combine(day, time.max, of_book or zone()).astimezone(UTC)


def zone() -> ZoneInfo:
    """Return the zone that days are counted in: the book's, until it is open the organisation's."""
    book = Book.objects.first()
    return ZoneInfo(book.timezone if book else organisations.current().time_zone)


def latest(base: str, quote: str, *, at: datetime, now: datetime) -> Rate:
    """
    Return the rate that holds ``at`` an instant, of what was recorded until ``now``.

    It is the last one of the pair, in either direction, or that across the functional currency where this is younger.
    A currency is worth one of itself. Raises RateMissing, and RateStale when it is older than the book allows.
    """
    if base == quote:
        return Rate(base, quote, Fraction(1), at, "")
    found = [
        rate for rate in (pair(base, quote, at=at, now=now), _across(base, quote, at=at, now=now)) if rate
    ]
    rate = max(found, key=lambda one: one.as_of) if found else None
    return _held(rate, base, quote, at=at, days=max_age_days())


@dataclass(frozen=True, slots=True)
class History:
    """All rates of a pair that were known at an instant, to be asked for many days: what ``latest`` says of the pair alone."""

    base: str
    quote: str
    rates: tuple[Rate, ...]
    days: int

    @classmethod
    def of(cls, base: str, quote: str, *, now: datetime) -> Self:
        rows = of_pair(base, quote).filter(created_at__lte=now).order_by("as_of", "id")
        return cls(base, quote, tuple(read(row, base) for row in rows), max_age_days())

    def at(self, instant: datetime) -> Rate:
        """Return the rate that holds at an instant; raise RateMissing or RateStale."""
        place = bisect_right(self.rates, instant, key=lambda rate: rate.as_of)
        rate = self.rates[place - 1] if place else None
        return _held(rate, self.base, self.quote, at=instant, days=self.days)


def max_age_days() -> int:
    """Return how many days old a rate may be."""
    book = Book.objects.first()
    return book.rate_max_age_days if book else MAX_AGE_DAYS


def _held(rate: Rate | None, base: str, quote: str, *, at: datetime, days: int) -> Rate:
    if rate is None:
        raise RateMissing(f"There is no rate from {base} to {quote} for {at:%Y-%m-%d %H:%M}. Record one.")
    if at - rate.as_of > timedelta(days=days):
        raise RateStale(
            f"The last rate from {base} to {quote} is of {rate.as_of:%Y-%m-%d}, more than {days} days before "
            f"{at:%Y-%m-%d}. Record a younger one."
        )
    return rate


def pair(base: str, quote: str, *, at: datetime, now: datetime) -> Rate | None:
    """Return the last rate of two currencies in either direction, however old; None where there is none."""
    row = of_pair(base, quote).filter(as_of__lte=at, created_at__lte=now).order_by("-as_of", "-id").first()
    return None if row is None else read(row, base)


def of_pair(base: str, quote: str) -> QuerySet[FxRate]:
    """Return the rates of two currencies, in both directions."""
    return FxRate.objects.filter(Q(base=base, quote=quote) | Q(base=quote, quote=base))


def read(row: FxRate, base: str) -> Rate:
    """Return a stored rate as one from ``base``, turned round where it is kept the other way."""
    ratio = Fraction(row.rate)
    if row.base == base:
        return Rate(row.base, row.quote, ratio, row.as_of, row.source, (row.id,))
    return Rate(row.quote, row.base, 1 / ratio, row.as_of, f"{row.source}, turned round", (row.id,))


@dataclass(frozen=True, slots=True)
class Standing:
    """The rate of a currency that the book uses, into the functional one; ``problem`` is the code of why none holds."""

    base: str
    quote: str
    rate: Rate | None
    problem: str


def standing(*, now: datetime) -> list[Standing]:
    """Return, for each foreign currency that an account is kept in, the rate that holds now, or why there is none."""
    functional = functional_currency()
    found = []
    for code in Currency.objects.exclude(code=functional).order_by("code").values_list("code", flat=True):
        try:
            found.append(Standing(code, functional, latest(code, functional, at=now, now=now), ""))
        except (RateMissing, RateStale) as refusal:
            last = pair(code, functional, at=now, now=now)
            found.append(Standing(code, functional, last, refusal.code))
    return found


def everything(base: str = "", quote: str = "") -> QuerySet[FxRate]:
    """Return all rates, or those of a pair as it is kept, the youngest first."""
    rows = FxRate.objects.all()
    if base:
        rows = rows.filter(base=base)
    if quote:
        rows = rows.filter(quote=quote)
    return rows.order_by("-as_of", "-id")


def _across(base: str, quote: str, *, at: datetime, now: datetime) -> Rate | None:
    functional = functional_currency()
    if functional in {base, quote}:
        return None
    first, second = pair(base, functional, at=at, now=now), pair(functional, quote, at=at, now=now)
    if first is None or second is None:
        return None
    return Rate(
        base,
        quote,
        first.ratio * second.ratio,
        min(first.as_of, second.as_of),
        f"{first.source} and {second.source}",
        (*first.ids, *second.ids),
    )
