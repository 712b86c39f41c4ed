"""Reports as files: CSV, XLSX and PDF of one and the same table, made as a job of the person who asks."""

import dataclasses
from collections.abc import Generator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.access.contracts import Caller
from apps.access.selectors import branches, memberships, scope
from apps.documents.services import logos, pdf
from apps.jobs.contracts import FileFormat, NewJob, Progress, ResultFile, Work
from apps.jobs.services import exports, jobs, tables
from apps.kit import errors
from apps.kit.actors import Actor
from apps.ledger.contracts import AccountRole, AccountType
from apps.ledger.rendering import comparisons, pages, reports
from apps.ledger.rendering.tables import Table, asked_for
from apps.ledger.selectors import accounts, chart, statements
from apps.ledger.selectors.reports import (
    balance_sheet,
    comparison,
    general_ledger,
    profit_and_loss,
    trial_balance,
)
from apps.ledger.selectors.reports.basis import Basis
from apps.ledger.selectors.reports.comparison import Against

KIND = "ledger_report"
PERMISSION = "ledger.view"
SCOPE = "ledger:read"
NEEDED = {PERMISSION, exports.PERMISSION}
PDF = "application/pdf"
PAGE_ROWS_MAX = 5_000
"""So many lines are about 150 pages; a file of rows is the way for more."""
PAGE_COLUMNS_MAX = 7
"""Six months and their sum lie on a page across; more would not be read."""


class ReportName(StrEnum):
    TRIAL_BALANCE = "TRIAL_BALANCE"
    GENERAL_LEDGER = "GENERAL_LEDGER"
    BALANCE_SHEET = "BALANCE_SHEET"
    PROFIT_AND_LOSS = "PROFIT_AND_LOSS"
    STATEMENT = "STATEMENT"
    CHART_OF_ACCOUNTS = "CHART_OF_ACCOUNTS"


class ReportFormat(StrEnum):
    CSV = "CSV"
    XLSX = "XLSX"
    PDF = "PDF"


NEEDS_SINCE = {ReportName.GENERAL_LEDGER, ReportName.PROFIT_AND_LOSS, ReportName.STATEMENT}


class ReportInvalid(errors.Invalid):
    """The report needs something that was not named."""

    code = "report_invalid"
    title = "Report not valid"


class ReportForbidden(errors.Forbidden):
    """The caller may not take the ledger's reports away."""

    code = "report_forbidden"
    title = "Report not allowed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReport:
    """
    Which report, of which days, as known when, and as what.

    ``since`` is needed by reports on a range, ``account_uid`` by a statement; ``branch_id`` narrows all others, and
    ``currency``, ``type`` and ``role`` the chart of accounts.
    ``against`` puts other days beside those of a profit and loss.
    """

    name: ReportName
    as_of: date
    known_at: datetime
    file_format: ReportFormat = ReportFormat.PDF
    since: date | None = None
    branch_id: UUID | None = None
    account_uid: UUID | None = None
    against: Against | None = None
    currency: str = ""
    type: AccountType | None = None
    role: AccountRole | None = None

    @property
    def narrowed(self) -> tuple[tuple[str, str], ...]:
        """What narrows the chart beside its branch, as the file states it."""
        said = ((_("Currency"), self.currency), (_("Type"), _word(self.type)), (_("Role"), _word(self.role)))
        return tuple((label, text) for label, text in said if text)


@transaction.atomic
def start(*, request: NewReport, caller: scope.Principal, actor: Actor, now: datetime) -> jobs.Job:
    """
    Start the making of a report on what the caller sees; the file is the result of the job. ``known_at`` is cut to the
    second that the report states. A key needs the scope of what the report reads, and sees the job as its application's.

    Raises ReportInvalid, DatesInvalid, ReportForbidden, NotFound for an account and BranchForbidden for a branch that is
    not his.
    """
    _check(request)
    _check_caller(caller)
    membership = None if isinstance(caller, Caller) else memberships.of(caller)
    reach, own_applications = scope.branch_ids(caller), scope.application_ids(caller)
    if request.account_uid is not None:
        accounts.get(request.account_uid, caller)
    if request.branch_id is not None:
        reach = {branches.chosen(caller, request.branch_id).id}
    branch_id = next(iter(reach)) if reach and len(reach) == 1 else branches.head_office().id
    return jobs.start(
        request=NewJob(
            kind=KIND,
            title=str(titles()[request.name]),
            branch_id=branch_id,
            application_id=scope.application_id(caller),
            branch_ids=None if reach is None else frozenset(reach),
            application_ids=None if own_applications is None else frozenset(own_applications),
            permission=PERMISSION,
            scope=SCOPE,
            actor=actor,
            starter_id=None if membership is None else membership.id,
            parameters=_parameters(
                dataclasses.replace(request, known_at=request.known_at.replace(microsecond=0)), reach
            ),
        ),
        now=now,
    )


def run(work: Work) -> Generator[Progress, None, ResultFile | None]:
    """Make the file of a report; whoever takes the job up again makes the same one."""
    asked = work.parameters
    request = NewReport(
        name=ReportName(asked["name"]),
        as_of=date.fromisoformat(asked["as_of"]),
        known_at=datetime.fromisoformat(asked["known_at"]),
        file_format=ReportFormat(asked["format"]),
        since=date.fromisoformat(asked["since"]) if asked["since"] else None,
        branch_id=UUID(asked["branch_id"]) if asked["branch_id"] else None,
        account_uid=UUID(asked["account_uid"]) if asked["account_uid"] else None,
        against=Against(asked["against"]) if asked.get("against") else None,
        currency=asked["currency"],
        type=AccountType(asked["type"]) if asked["type"] else None,
        role=AccountRole(asked["role"]) if asked["role"] else None,
    )
    table = tabulate(request, within=work.branch_ids, now=work.taken_up_at)
    rows = sum(1 for _row in table.rows)
    yield Progress(done=0, total=rows)
    yield Progress(done=rows, total=rows)
    return write(table, request.file_format, folder=work.folder)


def tabulate(request: NewReport, *, within: frozenset[UUID] | None, now: datetime) -> Table:
    """Read a report and return its table; ``within`` are the branches that may be read (None: all). Raises ReportInvalid."""
    _check(request)
    if request.account_uid is not None and request.name == ReportName.STATEMENT:
        return _statement(request, request.account_uid, within=within, now=now)
    if request.name == ReportName.CHART_OF_ACCOUNTS:
        return _chart(request, within=within, now=now)
    return _report(request, within=within, now=now)


def _report(request: NewReport, *, within: frozenset[UUID] | None, now: datetime) -> Table:
    since, as_of = request.since or request.as_of, request.as_of
    known_at, branch_id = request.known_at, request.branch_id
    match request.name:
        case ReportName.TRIAL_BALANCE:
            trial = trial_balance.read(as_of=as_of, known_at=known_at, branch_id=branch_id, within=within)
            return reports.trial_balance(trial, now=now)
        case ReportName.BALANCE_SHEET:
            sheet = balance_sheet.read(as_of=as_of, known_at=known_at, branch_id=branch_id, within=within)
            return reports.balance_sheet(sheet, now=now)
        case ReportName.PROFIT_AND_LOSS:
            return _profit_and_loss(request, within=within, now=now)
        case _:
            entries = general_ledger.read(
                since=since, as_of=as_of, known_at=known_at, branch_id=branch_id, within=within
            )
            return reports.general_ledger(entries, now=now)


def write(table: Table, file_format: ReportFormat, *, folder: Path) -> ResultFile:
    """Write a table into ``folder``. The same table makes the same bytes. Raises TooManyEntries for a PDF of too many pages."""
    name = f"{table.name}-{table.basis.as_of:%Y-%m-%d}.{file_format.lower()}"
    rows = list(table.rows)
    if file_format == ReportFormat.PDF:
        if len(table.lines) > PAGE_ROWS_MAX:
            raise general_ledger.TooManyEntries(
                f"A PDF holds {PAGE_ROWS_MAX:,} lines and this report has {len(table.lines):,}. Ask for CSV or XLSX."
            )
        pictures = logos.drawn()
        content = pdf.render(html=pages.html(table, pictures=pictures), style=pages.STYLE, pictures=pictures)
        (folder / name).write_bytes(content)
        return ResultFile(folder / name, name, PDF, len(rows), table.totals)
    content_type = tables.write(
        folder / name,
        tables.File(
            title=table.title,
            facts=((_("Report"), table.title), *table.facts, (_("Rows"), len(rows))),
            totals=table.totals,
            heads=(_("Section"), *(column.title for column in table.columns)),
            rows=((line.section, *line.cells) for line in rows),
            at=table.basis.known_at,
        ),
        FileFormat(file_format.value),
    )
    return ResultFile(folder / name, name, content_type, len(rows), table.totals)


def stated(request: NewReport, *, within: frozenset[UUID] | None) -> tuple[tuple[str, str], ...]:
    """Return what a report says above its lines, and what narrows it, without reading it."""
    since = request.since if request.name in NEEDS_SINCE else None
    days = Basis(
        as_of=request.as_of,
        known_at=request.known_at,
        since=since,
        branch_id=request.branch_id,
        within=within,
    )
    return (*asked_for(days), *_side_by_side(request), *request.narrowed)


def _side_by_side(request: NewReport) -> tuple[tuple[str, str], ...]:
    """Return which days stand in the columns of a profit and loss that is compared."""
    if request.against is None:
        return ()
    spans = comparison.spans(request.against, since=request.since or request.as_of, as_of=request.as_of)
    titles = comparisons.titles(spans, is_by_month=request.against == Against.MONTHS)
    return ((_("Side by side"), ", ".join(titles)),)


def titles() -> dict[ReportName, str]:
    """Return what each report is called."""
    return {
        ReportName.TRIAL_BALANCE: _("Trial balance"),
        ReportName.GENERAL_LEDGER: _("General ledger"),
        ReportName.BALANCE_SHEET: _("Balance sheet"),
        ReportName.PROFIT_AND_LOSS: _("Profit and loss"),
        ReportName.STATEMENT: _("Account statement"),
        ReportName.CHART_OF_ACCOUNTS: _("Chart of accounts"),
    }


def _statement(
    request: NewReport, account_uid: UUID, *, within: frozenset[UUID] | None, now: datetime
) -> Table:
    account = accounts.get(account_uid)
    if within is not None and account.branch_id not in within:
        raise errors.NotFound("There is no such account.")
    found: list[statements.Statement] = []
    while not found or found[-1].next:
        if len(found) * statements.ROWS_MAX >= general_ledger.ENTRIES_MAX:
            raise general_ledger.TooManyEntries(
                f"There are more than {general_ledger.ENTRIES_MAX:,} entries. Ask for fewer days."
            )
        page = statements.page(
            account,
            since=request.since or request.as_of,
            as_of=request.as_of,
            known_at=request.known_at,
            after=found[-1].next if found else "",
            rows=statements.ROWS_MAX,
        )
        found.append(page)
    return reports.statement(found, known_at=request.known_at, now=now)


def _chart(request: NewReport, *, within: frozenset[UUID] | None, now: datetime) -> Table:
    part = chart.Part(
        branch_id=request.branch_id,
        currency=request.currency,
        type=request.type,
        role=request.role,
        within=within,
    )
    tops = chart.tree(as_of=request.as_of, known_at=request.known_at, part=part)
    stated = Basis(as_of=request.as_of, known_at=request.known_at, branch_id=request.branch_id, within=within)
    return reports.chart_of_accounts(tops, stated, narrowed=request.narrowed, now=now)


def _check_caller(caller: scope.Principal) -> None:
    if isinstance(caller, Caller):
        if SCOPE not in caller.scopes:
            raise ReportForbidden(f"This needs a key with the scope {SCOPE} too.")
    elif not (memberships.permissions_of(caller) or frozenset()) >= NEEDED:
        raise ReportForbidden("Your role may not take reports of the ledger away.")


def _profit_and_loss(request: NewReport, *, within: frozenset[UUID] | None, now: datetime) -> Table:
    days: dict[str, Any] = {
        "since": request.since or request.as_of,
        "as_of": request.as_of,
        "known_at": request.known_at,
        "branch_id": request.branch_id,
        "within": within,
    }
    if request.against is None:
        return reports.profit_and_loss(profit_and_loss.read(**days), now=now)
    return comparisons.table(comparison.read(**days, against=request.against), now=now)


def _check(request: NewReport) -> None:
    if request.name in NEEDS_SINCE and request.since is None:
        raise _invalid("since", "This report is on a range of days: say from which on.")
    if request.name == ReportName.STATEMENT and request.account_uid is None:
        raise _invalid("account", "A statement is of one account: say which.")
    if request.name != ReportName.CHART_OF_ACCOUNTS and request.narrowed:
        raise _invalid("report", "Only the chart of accounts is narrowed by currency, type or role.")
    Basis(as_of=request.as_of, known_at=request.known_at, since=request.since)
    if request.against is not None:
        if request.name != ReportName.PROFIT_AND_LOSS:
            raise _invalid("against", "Only a profit and loss is compared with other days.")
        columns = comparison.spans(request.against, since=request.since or request.as_of, as_of=request.as_of)
        if request.file_format == ReportFormat.PDF and len(columns) > PAGE_COLUMNS_MAX:
            raise _invalid("format", "A PDF holds six months side by side. Ask for CSV or XLSX.")


def _invalid(field: str, message: str) -> ReportInvalid:
    return ReportInvalid(message, errors=[errors.FieldError(f"/{field}", ReportInvalid.code, message)])


def _word(choice: StrEnum | None) -> str:
    return choice.replace("_", " ").capitalize() if choice else ""


def _parameters(request: NewReport, reach: set[UUID] | None) -> dict[str, Any]:
    facts = stated(request, within=None if reach is None else frozenset(reach))
    return {
        "name": request.name.value,
        "format": request.file_format.value,
        "as_of": request.as_of.isoformat(),
        "known_at": request.known_at.isoformat(),
        "since": request.since.isoformat() if request.since else "",
        "branch_id": str(request.branch_id or ""),
        "account_uid": str(request.account_uid or ""),
        "against": request.against.value if request.against else "",
        "currency": request.currency,
        "type": request.type.value if request.type else "",
        "role": request.role.value if request.role else "",
        "asked_for": [*facts, (_("Format"), request.file_format.value)],
    }
