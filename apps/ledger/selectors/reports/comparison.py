"""Profit and loss of several ranges of days side by side: this one and the one before, or a year month by month."""

import calendar
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from apps.access.selectors.scope import Principal
from apps.kit import errors
from apps.kit.money import Money
from apps.ledger.contracts import AccountType
from apps.ledger.selectors.reports import basis, profit_and_loss
from apps.ledger.selectors.reports.basis import Basis, DatesInvalid, Row
from apps.ledger.selectors.reports.profit_and_loss import ProfitAndLoss, Result

MONTHS = 12
DAY = timedelta(days=1)


class Against(StrEnum):
    """What a range of days is compared with: the one before it, the one a year before, or its own months."""

    BEFORE = "BEFORE"
    YEAR = "YEAR"
    MONTHS = "MONTHS"


@dataclass(frozen=True, slots=True)
class Span:
    """The days of one column, both included."""

    since: date
    as_of: date

    @property
    def is_month(self) -> bool:
        return self.since.day == 1 and self.as_of == _end_of_month(self.since)


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    One profit and loss per span, and the accounts of any of them in the order of the chart.

    The first span is the one that was asked for, or month by month the last one is; ``is_by_month`` says which.
    ``moved`` is each span's debits less credits by account, in minor units.
    """

    basis: Basis
    spans: tuple[Span, ...]
    reports: tuple[ProfitAndLoss, ...]
    income: tuple[Row, ...]
    expenses: tuple[Row, ...]
    is_by_month: bool
    moved: tuple[Mapping[UUID, int], ...]

    def nets(self, rows: Iterable[Row]) -> tuple[Money, ...]:
        """Return debits less credits of accounts of one currency in each span."""
        own = list(rows)
        return tuple(
            Money(sum(moved.get(row.uid, 0) for row in own), own[0].currency) for moved in self.moved
        )

    def results(self) -> Iterator[tuple[Result, ...]]:
        """Yield the results of all branches together in each span, one line per currency."""
        for currency in basis.currencies([*self.income, *self.expenses]):
            yield tuple(_result(report.totals, currency) for report in self.reports)

    def branch_results(self) -> Iterator[tuple[Result, ...]]:
        """Yield the results of each branch in each span, one line per branch and currency."""
        rows = [*self.income, *self.expenses]
        for name, branch_id, currency in sorted(
            {(row.branch_name, row.branch_id, row.currency) for row in rows}, key=str
        ):
            yield tuple(
                _result(report.branches, currency, branch_id=branch_id, name=name) for report in self.reports
            )


def read(
    *,
    since: date,
    as_of: date,
    known_at: datetime,
    against: Against,
    branch_id: UUID | None = None,
    within: frozenset[UUID] | None = None,
    caller: Principal | None = None,
) -> Comparison:
    """
    Return the profit and loss of a range of days and of what it is compared with, all as known at one instant.

    One statement a span, and one for the order of the accounts. Raises DatesInvalid: also for more than twelve months.
    """
    asked = Basis(as_of=as_of, known_at=known_at, since=since, branch_id=branch_id, within=within)
    columns = spans(against, since=since, as_of=as_of)
    reports = tuple(
        profit_and_loss.read(
            since=span.since,
            as_of=span.as_of,
            known_at=known_at,
            branch_id=branch_id,
            within=within,
            caller=caller,
        )
        for span in columns
    )
    moved = tuple({row.uid: row.net_minor for row in _rows(report)} for report in reports)
    accounts = frozenset().union(*moved)
    whole = Basis(
        since=min(span.since for span in columns),
        as_of=max(span.as_of for span in columns),
        known_at=known_at,
        branch_id=branch_id,
        within=within,
    )
    types = (AccountType.INCOME, AccountType.EXPENSE)
    ordered = [
        row for row in basis.rows(whole, caller, types=types, is_without_closings=True) if row.uid in accounts
    ]
    return Comparison(
        basis=asked,
        spans=columns,
        reports=reports,
        income=tuple(row for row in ordered if row.type == AccountType.INCOME),
        expenses=tuple(row for row in ordered if row.type == AccountType.EXPENSE),
        is_by_month=against == Against.MONTHS,
        moved=moved,
    )


def spans(against: Against, *, since: date, as_of: date) -> tuple[Span, ...]:
    """Return the columns: whole months are compared with whole months, other days with as many days."""
    basis.check_days(since, as_of)
    asked = Span(since, as_of)
    try:
        match against:
            case Against.BEFORE:
                return asked, _before(asked)
            case Against.YEAR:
                return asked, Span(_month_later(since, -MONTHS), _year_before(as_of))
            case Against.MONTHS:
                return (*_months(asked), asked)
    except (ValueError, OverflowError):
        raise _invalid("There are no days before these in the calendar.") from None


def _before(asked: Span) -> Span:
    if asked.since.day == 1 and asked.as_of == _end_of_month(asked.as_of):
        months = (asked.as_of.year - asked.since.year) * MONTHS + asked.as_of.month - asked.since.month + 1
        return Span(_month_later(asked.since, -months), asked.since - DAY)
    return Span(asked.since - (asked.as_of - asked.since) - DAY, asked.since - DAY)


def _year_before(as_of: date) -> date:
    """Return the same day a year before; the last day of a month stays the last one."""
    earlier = _month_later(as_of, -MONTHS)
    return _end_of_month(earlier) if as_of == _end_of_month(as_of) else earlier


def _months(asked: Span) -> Iterator[Span]:
    first = asked.since
    for _number in range(MONTHS):
        last = min(_end_of_month(first), asked.as_of)
        yield Span(first, last)
        if last == asked.as_of:
            return
        first = last + DAY
    raise _invalid(f"These are more than {MONTHS} months. Ask for fewer of them side by side.")


def _month_later(day: date, months: int) -> date:
    """Return the same day so many months later, or the last one of a shorter month."""
    year, month = divmod(day.year * MONTHS + day.month - 1 + months, MONTHS)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _end_of_month(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _rows(report: ProfitAndLoss) -> tuple[Row, ...]:
    return (*report.income, *report.expenses)


def _result(
    found: Iterable[Result], currency: str, *, branch_id: UUID | None = None, name: str = ""
) -> Result:
    zero = Money.zero(currency)
    nothing = Result(branch_id, name, zero, zero)
    same = (own for own in found if own.branch_id == branch_id and own.income.currency == currency)
    return next(same, nothing)


def _invalid(message: str) -> DatesInvalid:
    return DatesInvalid(message, errors=[errors.FieldError("/since", DatesInvalid.code, message)])
