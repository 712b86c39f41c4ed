"""Reports of the ledger as pages: the table that the files hold too, and where each of its figures leads."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from apps.access.selectors import branches, scope
from apps.access.selectors.scope import Principal
from apps.kit.money import Money
from apps.ledger.services import reports
from apps.ledger.services.reports import NewReport, ReportName

LINES_MAX = 5_000
"""So many lines a browser still shows well; a file holds more."""
DEEPEST = 5
INSTANT = "%Y-%m-%dT%H:%M:%S"


@dataclass(frozen=True, slots=True)
class Figure:
    """A sum of a line and the column that it stands in."""

    title: str
    money: Money


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a column: a text, or a sum where the column is one of money."""

    text: str
    money: Money | None
    is_money: bool


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A heading, row or total: ``first`` goes over ``span`` columns, ``url`` leads to what the figures are made of."""

    kind: str
    depth: int
    first: str
    span: int
    cells: tuple[Cell, ...]
    figures: tuple[Figure, ...]
    about: str
    url: str
    explain_url: str


@dataclass(frozen=True, slots=True)
class Sides:
    """Debits beside credits of one currency, which are equal in the books of all branches."""

    debits: Money
    credits: Money

    @property
    def difference(self) -> Money:
        return self.debits - self.credits


@dataclass(frozen=True, slots=True)
class ReportPage:
    """
    A report as it is drawn; without ``lines`` where nothing was booked, and ``is_too_long`` where only a file holds it.

    ``query`` asks for the same figures again for ever: it names the instant even where nobody asked for one.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    heads: tuple[tuple[str, bool], ...]
    lines: tuple[ReportLine, ...]
    totals: tuple[tuple[str, Money], ...]
    sides: tuple[Sides, ...]
    is_too_long: bool
    is_of_branches: bool
    query: str


def page(request: NewReport, caller: Principal, *, now: datetime) -> ReportPage:
    """Return a report on what the caller sees; raise BranchForbidden for a branch that is not his."""
    if request.branch_id is not None:
        branches.chosen(caller, request.branch_id)
    reach = scope.branch_ids(caller)
    table = reports.tabulate(request, within=None if reach is None else frozenset(reach), now=now)
    is_too_long = len(table.lines) > LINES_MAX
    return ReportPage(
        title=table.title,
        facts=stated(request, caller),
        heads=tuple((column.title, column.kind == "MONEY") for column in table.columns),
        lines=() if is_too_long else tuple(_lines(request, table)),
        totals=table.totals,
        sides=_sides(table.totals) if request.name == ReportName.TRIAL_BALANCE else (),
        is_too_long=is_too_long,
        is_of_branches=reach is not None or request.branch_id is not None,
        query=query(request),
    )


def stated(request: NewReport, caller: Principal) -> tuple[tuple[str, str], ...]:
    """Return what a report says above its lines, without reading it."""
    reach = scope.branch_ids(caller)
    return reports.stated(request, within=None if reach is None else frozenset(reach))


def titles() -> Mapping[ReportName, str]:
    """Return what each report is called."""
    return reports.titles()


def query(request: NewReport) -> str:
    """Return what an address says of a report: its days, its instant, its branch."""
    branch = {"branch": str(request.branch_id)} if request.branch_id else {}
    against = {"against": request.against.value} if request.against else {}
    return urlencode({**_times(request), **branch, **against})


def account_url(account_uid: UUID, request: NewReport) -> str:
    """Return the address of an account's entries behind a figure, between the same days and as known at the same instant."""
    return f"{reverse('portal-account', args=[account_uid])}?{urlencode(_times(request))}"


def explain_url(account_uid: UUID, request: NewReport) -> str:
    """Return the address of what a figure rests on."""
    return f"{reverse('portal-explain-account', args=[account_uid])}?{urlencode(_times(request))}"


def _times(request: NewReport) -> Mapping[str, str]:
    days = {"as_of": request.as_of.isoformat()}
    if request.since is not None:
        days = {"since": request.since.isoformat(), **days}
    return {**days, "known_at": timezone.localtime(request.known_at).strftime(INSTANT)}


def _lines(request: NewReport, table: reports.Table) -> Iterator[ReportLine]:
    for line in table.lines:
        cells = [
            Cell(*_shown(cell), is_money=column.kind == "MONEY")
            for column, cell in zip(table.columns, line.cells, strict=True)
        ]
        filled = next((n for n, cell in enumerate(line.cells[1:], start=1) if cell is not None), len(cells))
        span = 1 if line.kind == "ROW" else filled
        figures = [
            Figure(column.title, cell.money)
            for column, cell in zip(table.columns, cells, strict=True)
            if cell.money is not None
        ]
        yield ReportLine(
            kind=line.kind.lower(),
            depth=min(line.depth, DEEPEST),
            first=cells[0].text,
            span=span,
            cells=tuple(cells[span:]),
            figures=tuple(figures),
            about=" · ".join(cell.text for cell in cells[2:] if cell.text),
            url=account_url(line.account_uid, request) if line.account_uid else "",
            explain_url=explain_url(line.account_uid, request) if line.account_uid else "",
        )


def _shown(cell: object) -> tuple[str, Money | None]:
    return ("", cell) if isinstance(cell, Money) else (str(cell or ""), None)


def _sides(totals: tuple[tuple[str, Money], ...]) -> tuple[Sides, ...]:
    """Return the totals of a trial balance, which has a debit and a credit for each currency in turn."""
    sums = [money for _label, money in totals]
    return tuple(Sides(*pair) for pair in zip(sums[::2], sums[1::2], strict=True))
