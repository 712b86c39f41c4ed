"""The general ledger as pages: some accounts after others, each with its entries between opening and closing balance."""

from dataclasses import dataclass
from urllib.parse import urlencode

from apps.access.selectors.scope import Principal
from apps.ledger.selectors.reports import ledger_pages
from apps.ledger.selectors.reports.general_ledger import CurrencyMoved
from apps.ledger.selectors.reports.ledger_pages import AccountPart, LedgerPage
from apps.ledger.selectors.statements import CursorInvalid
from apps.ledger.services.reports import NewReport
from apps.portal.selectors import reports

ROWS = 100


@dataclass(frozen=True, slots=True)
class PartOfAccount:
    """An account on the page, where its entries lead, and whether earlier ones of it stand on the page before."""

    part: AccountPart
    url: str
    is_continued: bool
    is_whole: bool


@dataclass(frozen=True, slots=True)
class GeneralLedgerPage:
    """
    What the page shows; ``totals`` are of the whole report.

    ``query`` asks for the first page again, ``next`` for the one after this, both as known at the same instant.
    """

    facts: tuple[tuple[str, str], ...]
    accounts: tuple[PartOfAccount, ...]
    totals: tuple[CurrencyMoved, ...]
    is_first: bool
    query: str
    next: str


def page(request: NewReport, caller: Principal, *, after: str) -> GeneralLedgerPage:
    """Return a page of the general ledger; a cursor that is none starts at the first account. Raises BranchForbidden."""
    try:
        found, is_first = _read(request, caller, after), not after
    except CursorInvalid:
        found, is_first = _read(request, caller, ""), True
    query = reports.query(request)
    last = len(found.accounts) - 1
    return GeneralLedgerPage(
        facts=reports.stated(request, caller),
        accounts=tuple(
            PartOfAccount(
                part=part,
                url=reports.account_url(part.row.uid, request),
                is_continued=not is_first and place == 0 and "." in after,
                is_whole=place < last or "." not in found.next,
            )
            for place, part in enumerate(found.accounts)
        ),
        totals=found.totals,
        is_first=is_first,
        query=query,
        next=f"{query}&{urlencode({'after': found.next})}" if found.next else "",
    )


def _read(request: NewReport, caller: Principal, after: str) -> LedgerPage:
    return ledger_pages.page(
        since=request.since or request.as_of,
        as_of=request.as_of,
        known_at=request.known_at,
        branch_id=request.branch_id,
        after=after,
        limit=ROWS,
        caller=caller,
    )
