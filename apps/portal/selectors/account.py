"""One account as people read it: its entries between dates, how its balance came about, and what binds it."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from apps.access.selectors.scope import Principal
from apps.ledger.selectors import accounts, balances, entries, statements
from apps.ledger.selectors.accounts import AccountBalance, Standing
from apps.ledger.selectors.entries import CounterAccount
from apps.ledger.selectors.statements import CursorInvalid, Latest, StatementLine
from apps.portal.contracts import Footing
from apps.portal.selectors import chart_of_accounts
from apps.portal.selectors.chart_of_accounts import Twig


@dataclass(frozen=True, slots=True)
class Line:
    """An entry with the accounts on its other side."""

    entry: StatementLine
    counters: tuple[CounterAccount, ...]


@dataclass(frozen=True, slots=True)
class AccountPage:
    """
    An account at the end of ``as_of``: ``account`` has that day's balance, ``footing`` leads to it from ``since``.

    ``standing`` is always that of now. ``older`` is the cursor of the following lines, ``first_day`` that of an entry
    before ``since``, None where there is none.
    """

    account: AccountBalance
    since: date
    footing: Footing
    lines: tuple[Line, ...]
    is_newest: bool
    older: str
    first_day: date | None
    standing: Standing
    beside: tuple[Twig, ...]


def page(
    uid: UUID,
    caller: Principal,
    *,
    since: date,
    as_of: date,
    known_at: datetime | None,
    before: str = "",
) -> AccountPage:
    """
    Return the page of an account; raise NotFound for one that the caller may not see.

    A cursor that is none starts at the newest.
    """
    now = accounts.get(uid, caller)
    found, is_newest = _latest(now, since, as_of, known_at, before)
    first_day = statements.first_day(now)
    net = found.closing if now.is_debit_normal else -found.closing
    against = entries.counters(now, {line.transaction_uid for line in found.lines})
    return AccountPage(
        account=replace(now, net=net, balance=found.closing),
        since=since,
        footing=Footing(found.opening, found.debits, found.credits, found.closing),
        lines=tuple(Line(line, against[line.transaction_uid]) for line in found.lines),
        is_newest=is_newest,
        older=found.older,
        first_day=first_day if first_day is not None and first_day < since else None,
        standing=accounts.standing(now),
        beside=chart_of_accounts.beside(now, caller, as_of=as_of, known_at=known_at),
    )


def is_provisional(known_at: datetime | None, *, now: datetime) -> bool:
    """Say whether something may still be booked as of the instant that was asked for."""
    return known_at is not None and not balances.is_settled(known_at, now=now)


def _latest(
    account: AccountBalance, since: date, as_of: date, known_at: datetime | None, before: str
) -> tuple[Latest, bool]:
    asked: dict[str, Any] = {"since": since, "as_of": as_of, "known_at": known_at}
    try:
        return statements.latest(account, **asked, before=before), not before
    except CursorInvalid:
        return statements.latest(account, **asked), True
