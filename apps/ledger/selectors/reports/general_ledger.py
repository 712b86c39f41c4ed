"""General ledger: every entry of every account in a range of days, between its opening and its closing balance."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import connection

from apps.access.selectors.scope import Principal
from apps.kit import errors
from apps.kit.money import Money
from apps.ledger.selectors.reports import basis
from apps.ledger.selectors.reports.basis import Basis, Row
from apps.ledger.selectors.statements import LINE, StatementLine, lines_of

ENTRIES_MAX = 50_000


class TooManyEntries(errors.Invalid):
    """A report on so many entries would not fit."""

    code = "report_too_large"
    title = "Report too large"


@dataclass(frozen=True, slots=True)
class LedgerAccount:
    """One account: ``row`` is its closing row, ``opening`` and the balances of ``lines`` stand on its normal side."""

    row: Row
    opening: Money
    lines: tuple[StatementLine, ...]

    @property
    def closing(self) -> Money:
        return self.row.balance


@dataclass(frozen=True, slots=True)
class CurrencyMoved:
    """What was debited and credited in the range, in one currency."""

    debits: Money
    credits: Money


@dataclass(frozen=True, slots=True)
class GeneralLedger:
    """The accounts with a balance or an entry, in the order of the chart, and what moved per currency."""

    basis: Basis
    accounts: tuple[LedgerAccount, ...]
    totals: tuple[CurrencyMoved, ...]


LEDGER = """
    SELECT account.*, line.* FROM ({rows}) AS account LEFT JOIN LATERAL (
      SELECT {line} FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id
      WHERE e.account_id = account.account_id AND e.layer = 0 AND e.effective_date BETWEEN %(since)s AND %(as_of)s
        AND t.posted_at <= %(known_at)s
    ) AS line ON true
    ORDER BY account.position, line.effective_date, line.transaction_id, line.seq LIMIT %(limit)s"""


def read(
    *,
    since: date,
    as_of: date,
    known_at: datetime,
    branch_id: UUID | None = None,
    within: frozenset[UUID] | None = None,
    caller: Principal | None = None,
) -> GeneralLedger:
    """
    Return the general ledger from ``since`` to ``as_of``, as known at ``known_at``, of what the caller sees: one statement.

    Raises DatesInvalid, and TooManyEntries beyond 50,000: the export of entries has no such bound.
    """
    asked = Basis(as_of=as_of, known_at=known_at, since=since, branch_id=branch_id, within=within)
    rows, values = basis.sql(dataclasses.replace(asked, since=None), caller)
    values |= {"since": since, "as_of": as_of, "known_at": known_at, "limit": ENTRIES_MAX + 1}
    with connection.cursor() as cursor:
        cursor.execute(LEDGER.format(rows=rows, line=LINE), values)
        found = cursor.fetchall()
    if len(found) > ENTRIES_MAX:
        raise TooManyEntries(
            f"There are more than {ENTRIES_MAX:,} entries. Ask for fewer days, or export the ledger's entries."
        )
    accounts = tuple(
        account
        for _, own in groupby(found, itemgetter(basis.COLUMNS + 1))
        for account in [_account(list(own))]
        if account.lines or not account.closing.is_zero
    )
    return GeneralLedger(asked, accounts, _totals(accounts))


def _account(found: list[tuple[Any, ...]]) -> LedgerAccount:
    row = basis.row(found[0][: basis.COLUMNS])
    entries = [own[basis.COLUMNS + 2 :] for own in found if own[basis.COLUMNS + 2] is not None]
    sign = 1 if row.is_debit_normal else -1
    moved = sum(sign * direction * int(amount) for _, _, _, direction, amount, *_ in entries)
    opening = Money(row.balance.minor - moved, row.currency)
    return LedgerAccount(row, opening, tuple(lines_of(entries, opening, sign)))


def _totals(accounts: Iterable[LedgerAccount]) -> tuple[CurrencyMoved, ...]:
    sums: dict[str, list[Money]] = {}
    for account in accounts:
        zero = Money.zero(account.row.currency)
        own = sums.setdefault(account.row.currency, [zero, zero])
        own[0] = sum((line.debit for line in account.lines if line.debit), own[0])
        own[1] = sum((line.credit for line in account.lines if line.credit), own[1])
    return tuple(CurrencyMoved(*sums[currency]) for currency in sorted(sums))
