"""A report as a table: the lines that every rendering shows, and the totals that all of them must have."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.translation import gettext as _

from apps.access.selectors import branches
from apps.kit.money import Money
from apps.ledger.selectors.reports import basis
from apps.ledger.selectors.reports.basis import Basis, Row
from apps.ledger.selectors.statements import StatementLine
from apps.tenancy.selectors import organisations

type Cell = str | date | Money | None


class LineKind(StrEnum):
    """A ROW is in every file; headings and totals are drawn on pages only."""

    HEADING = "HEADING"
    ROW = "ROW"
    TOTAL = "TOTAL"


class ColumnKind(StrEnum):
    TEXT = "TEXT"
    DATE = "DATE"
    MONEY = "MONEY"


@dataclass(frozen=True, slots=True)
class Column:
    """A column; ``is_wide`` takes the room that is left."""

    title: str
    kind: ColumnKind = ColumnKind.TEXT
    is_wide: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """
    One line of the table; ``section`` names what it stands under, ``depth`` how far it is moved in.

    ``account_uid`` and ``transaction_uid`` are what its figures are of, as far as it is one of them.
    """

    kind: LineKind
    cells: tuple[Cell, ...]
    section: str = ""
    depth: int = 0
    account_uid: UUID | None = None
    transaction_uid: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A report ready to be written: ``facts`` stand above it, ``totals`` are the same in every format."""

    name: str
    title: str
    basis: Basis
    facts: tuple[tuple[str, str], ...]
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    totals: tuple[tuple[str, Money], ...]
    is_across: bool = False

    @property
    def rows(self) -> Iterator[Line]:
        return (line for line in self.lines if line.kind == LineKind.ROW)


def facts(stated: Basis, now: datetime) -> tuple[tuple[str, str], ...]:
    """Return what a report says above its lines: whose it is, of which days, as known when, and whether for good."""
    if not stated.is_provisional(now):
        return asked_for(stated)
    warning = _("Something may still be booked as of this instant. Print it again in a minute.")
    return (*asked_for(stated), (_("Provisional"), warning))


def asked_for(stated: Basis) -> tuple[tuple[str, str], ...]:
    """Return whose report it is, of which days, and as known when."""
    organisation = organisations.current()
    zone = ZoneInfo(organisation.time_zone)
    known_at = stated.known_at.astimezone(zone)
    days = day(stated.as_of)
    found = [(_("Organisation"), organisation.name)]
    if stated.branch_id is not None:
        found.append((_("Branch"), branches.get(stated.branch_id).name))
    elif stated.within is not None:
        found.append((_("Branches"), ", ".join(branches.get(own).name for own in sorted(stated.within))))
    if stated.since is not None:
        found.append((_("From"), day(stated.since)))
    found += [
        (_("As of"), days),
        (_("Known at"), f"{day(known_at)}, {known_at:%H:%M:%S} {known_at.tzname()}"),
    ]
    return tuple(found)


def day(value: date) -> str:
    return formats.date_format(value, "j M Y")


def account_columns() -> tuple[Column, ...]:
    return Column(_("Account")), Column(_("Name"), is_wide=True), Column(_("Branch")), Column(_("Currency"))


def entry_columns() -> tuple[Column, ...]:
    return (
        Column(_("Date"), ColumnKind.DATE),
        Column(_("Transaction")),
        Column(_("Description"), is_wide=True),
        Column(_("Currency")),
        money_column(_("Debit")),
        money_column(_("Credit")),
        money_column(_("Balance")),
    )


def money_column(title: str) -> Column:
    return Column(title, ColumnKind.MONEY)


def tree(
    rows: Iterable[Row], figures: Callable[[Money], tuple[Money | None, ...]], *, section: str = ""
) -> Iterator[Line]:
    """
    Yield the accounts below the headings of the chart, and after each heading its sums, one line per currency.

    ``figures`` turns debits less credits into the cells of money.
    """
    return tree_of(rows, lambda own: figures(basis.net(own, own[0].currency)), section=section)


def tree_of(
    rows: Iterable[Row],
    figures: Callable[[Sequence[Row]], tuple[Money | None, ...]],
    *,
    section: str = "",
    depth: int = 0,
) -> Iterator[Line]:
    """Yield the lines of ``tree``; ``figures`` returns the cells of money of accounts of one currency together."""
    for heading, group in groupby(
        rows, lambda row: row.headings[depth] if len(row.headings) > depth else None
    ):
        own = list(group)
        if heading is None:
            yield from (_account(row, figures([row]), section, depth) for row in own)
            continue
        title = f"{heading.code} {heading.name}"
        blanks = (None,) * (len(figures(own[:1])) + 3)
        yield Line(LineKind.HEADING, (title, *blanks), section, depth)
        inner = f"{section}, {title}" if section else title
        yield from tree_of(own, figures, section=inner, depth=depth + 1)
        for currency in basis.currencies(own):
            sums = figures([row for row in own if row.currency == currency])
            yield total(_("Total %(heading)s") % {"heading": heading.name}, currency, *sums, depth=depth)


def total(label: str, currency: str, *sums: Money | None, depth: int = 0) -> Line:
    return Line(LineKind.TOTAL, (label, None, None, currency, *sums), depth=depth)


def heading(label: str, *, columns: int) -> Line:
    return Line(LineKind.HEADING, (label, *[None] * (columns - 1)))


def entry(line: StatementLine, currency: str, section: str) -> Line:
    text = f"{line.description} {line.reference}".strip()
    cells = (
        line.effective_date,
        line.transaction_number,
        text,
        currency,
        line.debit,
        line.credit,
        line.balance,
    )
    return Line(LineKind.ROW, cells, section, transaction_uid=line.transaction_uid)


def balance_line(label: str, money: Money) -> Line:
    return Line(LineKind.TOTAL, (label, None, None, money.currency, None, None, money))


def _account(row: Row, figures: tuple[Money | None, ...], section: str, depth: int) -> Line:
    cells = (row.code, row.name, row.branch_name, row.currency, *figures)
    return Line(LineKind.ROW, cells, section, depth, account_uid=row.uid)
