"""The general ledger page by page: accounts in the order of the chart, each with its entries, by keyset."""

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import dropwhile
from uuid import UUID

from apps.access.selectors.scope import Principal
from apps.kit import errors, ids
from apps.kit.money import Money
from apps.ledger.selectors import accounts, statements
from apps.ledger.selectors.reports import basis
from apps.ledger.selectors.reports.basis import Basis, Row
from apps.ledger.selectors.reports.general_ledger import CurrencyMoved
from apps.ledger.selectors.statements import CursorInvalid, StatementLine

PREFIX = "acc"


@dataclass(frozen=True, slots=True)
class AccountPart:
    """
    An account of a page: ``opening``, ``debits``, ``credits`` and ``closing`` are of the whole range of days.

    ``lines`` are those of the page, and begin after ``brought_forward``.
    """

    row: Row
    opening: Money
    debits: Money
    credits: Money
    brought_forward: Money
    lines: tuple[StatementLine, ...]

    @property
    def closing(self) -> Money:
        return self.row.balance


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """Some accounts, what moved in all of the report per currency, and the cursor of the next page, empty on the last."""

    basis: Basis
    accounts: tuple[AccountPart, ...]
    totals: tuple[CurrencyMoved, ...]
    next: str


def page(
    *,
    since: date,
    as_of: date,
    known_at: datetime,
    branch_id: UUID | None = None,
    after: str = "",
    limit: int = statements.ROWS,
    caller: Principal | None = None,
) -> LedgerPage:
    """
    Return the accounts with a balance or an entry from where ``after`` points: ``limit`` accounts and entries at most.

    It needs the ``known_at`` of the first page. Raises DatesInvalid, BranchForbidden and CursorInvalid.
    """
    asked = Basis(as_of=as_of, known_at=known_at, since=since, branch_id=branch_id)
    moved = {row.uid: row for row in basis.rows(asked, caller)}
    standing = basis.rows(dataclasses.replace(asked, since=None), caller)
    found = [row for row in standing if row.net_minor or row.uid in moved]
    start, place = _cursor(after)
    rest = list(found if start is None else dropwhile(lambda row: row.uid != start, found))
    if start is not None and not rest:
        raise _invalid()
    parts: list[AccountPart] = []
    room, following = limit, ""
    for row in rest:
        if not room or len(parts) == limit:
            following = ids.encode(PREFIX, row.uid)
            break
        part, more = _part(row, moved.get(row.uid), asked, after=place, room=room)
        parts.append(part)
        room, place = room - len(part.lines), ""
        if more:
            following = f"{ids.encode(PREFIX, row.uid)}.{more}"
            break
    return LedgerPage(asked, tuple(parts), tuple(_totals(moved.values())), following)


def _part(row: Row, moved: Row | None, asked: Basis, *, after: str, room: int) -> tuple[AccountPart, str]:
    """Return an account with its next entries, and the cursor of those behind them."""
    if moved is None or asked.since is None:
        nothing = Money.zero(row.currency)
        return AccountPart(row, row.balance, nothing, nothing, row.balance, ()), ""
    found = statements.page(
        accounts.get(row.uid),
        since=asked.since,
        as_of=asked.as_of,
        known_at=asked.known_at,
        after=after,
        rows=room,
    )
    part = AccountPart(row, found.opening, found.debits, found.credits, found.brought_forward, found.lines)
    return part, found.next


def _totals(moved: Iterable[Row]) -> Iterator[CurrencyMoved]:
    rows = list(moved)
    for currency in basis.currencies(rows):
        own = [row for row in rows if row.currency == currency]
        yield CurrencyMoved(
            Money(sum(row.debits_minor for row in own), currency),
            Money(sum(row.credits_minor for row in own), currency),
        )


def _cursor(text: str) -> tuple[UUID | None, str]:
    """Return the account that a page begins at, and after which of its entries."""
    if not text:
        return None, ""
    account, _, place = text.partition(".")
    try:
        return ids.decode(PREFIX, account), place
    except ids.InvalidId:
        raise _invalid() from None


def _invalid() -> CursorInvalid:
    message = "This cursor was not given out by this report."
    return CursorInvalid(message, errors=[errors.FieldError("/cursor", CursorInvalid.code, message)])
