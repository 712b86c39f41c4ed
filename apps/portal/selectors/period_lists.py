"""The list of periods for a person in the portal: the years of the book, and what has ended and is open still."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.urls import reverse
from django.utils.translation import ngettext

from apps.access.selectors.scope import Principal
from apps.ledger.contracts import LateItems
from apps.ledger.selectors import books, transactions
from apps.ledger.selectors import periods as stored
from apps.ledger.selectors.periods import Period
from apps.portal.selectors import words
from apps.portal.selectors.periods import LATE_POLICIES, Link, PeriodLine, line, title


@dataclass(frozen=True, slots=True)
class Year:
    """One year of the book, as a tab."""

    title: str
    url: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """The periods of one year, the first one first; ``hint`` says what has ended and is open still."""

    years: tuple[Year, ...]
    lines: tuple[PeriodLine, ...]
    hint: Link | None
    policy: str
    first_open_day: date | None


def listing(year: str, caller: Principal, *, now: datetime) -> Listing:
    """
    Return the periods of the year that was asked for by its first month (2026-01), else of the one to look at.

    What came late is counted as far as the reader may see it.
    """
    years = _years(stored.stored())
    overdue = list(stored.overdue(now))
    chosen = _chosen(years, year, overdue, now)
    shown = years.get(chosen, [])
    late, today = stored.late_counts(shown, among=transactions.visible_to(caller)), books.today(now)
    names = {text: words.actor(text) for text in {period.closed_by for period in shown} if text}
    book = books.of_organisation()
    return Listing(
        years=tuple(
            Year(_year_title(periods), f"?year={key}", key == chosen) for key, periods in years.items()
        ),
        lines=tuple(
            line(period, late=late.get(period.id, 0), who=names.get(period.closed_by, ""), today=today)
            for period in shown
        ),
        hint=_hint(overdue),
        policy=str(LATE_POLICIES[LateItems(book.late_items)]) if book else "",
        first_open_day=stored.first_open_day(),
    )


def hint(*, now: datetime) -> Link | None:
    """Say which periods have ended and are open still, with the one to close first; None where there is none."""
    return _hint(list(stored.overdue(now)))


def _years(periods: Iterable[Period]) -> dict[str, list[Period]]:
    """Group periods, which are in order, by the year that ends with them; a year is named by its first month."""
    years: dict[str, list[Period]] = {}
    key = ""
    for period in periods:
        key = key or f"{period.start_date:%Y-%m}"
        years.setdefault(key, []).append(period)
        key = "" if period.is_year_end else key
    return years


def _year_title(periods: Sequence[Period]) -> str:
    first, last = periods[0].start_date.year, periods[-1].end_date.year
    return str(first) if first == last else f"{first}/{last % 100:02d}"


def _chosen(years: dict[str, list[Period]], wanted: str, overdue: Sequence[Period], now: datetime) -> str:
    """Return the year that was asked for, else the one with the period to close, else that of today, else the last."""
    if wanted in years:
        return wanted
    today = books.today(now)
    at_hand: Callable[[Period], bool] = (
        (lambda period: period == overdue[0])
        if overdue
        else (lambda period: period.start_date <= today <= period.end_date)
    )
    found = [key for key, periods in years.items() if any(map(at_hand, periods))]
    return (found or list(years) or [""])[-1]


def _hint(overdue: Sequence[Period]) -> Link | None:
    if not overdue:
        return None
    first = title(overdue[0])
    sentence = ngettext(
        "%(period)s has ended and is still open.",
        "%(count)d periods have ended and are still open, the first is %(period)s.",
        len(overdue),
    ) % {"count": len(overdue), "period": first}
    return Link(sentence, reverse("portal-period", args=[overdue[0].uid]))
