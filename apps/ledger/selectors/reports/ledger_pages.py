"""The general ledger page by page: accounts in the order of the chart, each with its entries, by keyset."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import dropwhile
from typing import Any
from uuid import UUID

from django.db import connection

from apps.access.selectors.scope import Principal
from apps.kit import errors, ids
from apps.kit.money import Money
from apps.ledger.selectors import accounts, statements
from apps.ledger.selectors.reports import basis
from apps.ledger.selectors.reports.basis import Basis, Row
from apps.ledger.selectors.reports.general_ledger import CurrencyMoved
from apps.ledger.selectors.statements import LINE, CursorInvalid, StatementLine, lines_of

PREFIX = "acc"
ENTRIES = """
    SELECT asked.uid, line.* FROM unnest(%(uids)s::uuid[]) WITH ORDINALITY AS asked (uid, place)
    JOIN ledger_account account ON account.uid = asked.uid
    CROSS JOIN LATERAL (
      SELECT {line} FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id
      WHERE e.account_id = account.id AND e.layer = 0 AND e.effective_date BETWEEN %(since)s AND %(as_of)s
        AND t.posted_at <= %(known_at)s
      ORDER BY e.effective_date, e.transaction_id, e.seq LIMIT %(limit)s
    ) AS line
    ORDER BY asked.place, line.effective_date, line.transaction_id, line.seq LIMIT %(limit)s"""


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
    following = ""
    if place and rest[0].uid in moved:
        part, following = _continued(rest.pop(0), since, asked, after=place, room=limit)
        parts.append(part)
    if not following:
        room = limit - sum(len(part.lines) for part in parts)
        more, following = _parts(rest, moved, asked, places=limit - len(parts), room=room)
        parts += more
    return LedgerPage(asked, tuple(parts), tuple(_totals(moved.values())), following)


def _continued(row: Row, since: date, asked: Basis, *, after: str, room: int) -> tuple[AccountPart, str]:
    """Return an account whose first entries were on the page before, and the cursor of what does not fit."""
    found = statements.page(
        accounts.get(row.uid),
        since=since,
        as_of=asked.as_of,
        known_at=asked.known_at,
        after=after,
        rows=room,
    )
    part = AccountPart(row, found.opening, found.debits, found.credits, found.brought_forward, found.lines)
    return part, f"{ids.encode(PREFIX, row.uid)}.{found.next}" if found.next else ""


def _parts(
    rows: Sequence[Row], moved: Mapping[UUID, Row], asked: Basis, *, places: int, room: int
) -> tuple[list[AccountPart], str]:
    """Return so many accounts from their first entries on, and the cursor of what does not fit: one statement."""
    entries = _entries([row.uid for row in rows[:places] if row.uid in moved], asked, limit=room + 1)
    parts: list[AccountPart] = []
    for row in rows:
        if not room or len(parts) == places:
            return parts, ids.encode(PREFIX, row.uid)
        own = entries.get(row.uid, [])
        parts.append(_part(row, moved.get(row.uid), own[:room]))
        if len(own) > room:
            return parts, f"{ids.encode(PREFIX, row.uid)}.{statements.cursor_of(own[room - 1])}"
        room -= len(own)
    return parts, ""


def _part(row: Row, moved: Row | None, entries: Sequence[tuple[Any, ...]]) -> AccountPart:
    debits, credits_ = (moved.debits_minor, moved.credits_minor) if moved else (0, 0)
    sign = 1 if row.is_debit_normal else -1
    opening = Money(row.balance.minor - sign * (debits - credits_), row.currency)
    return AccountPart(
        row,
        opening,
        Money(debits, row.currency),
        Money(credits_, row.currency),
        opening,
        tuple(lines_of(entries, opening, sign)),
    )


def _entries(uids: Sequence[UUID], asked: Basis, *, limit: int) -> Mapping[UUID, list[tuple[Any, ...]]]:
    """Return the first entries of accounts that follow one another, ``limit`` in all."""
    values = {
        "uids": list(uids),
        "since": asked.since,
        "as_of": asked.as_of,
        "known_at": asked.known_at,
        "limit": limit,
    }
    found: dict[UUID, list[tuple[Any, ...]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(ENTRIES.format(line=LINE), values)
        for uid, *entry in cursor:
            found[uid].append(tuple(entry))
    return found


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
