"""
The posted entries as plain-text accounting, for a second opinion: a file that beancount, or hledger, reads and checks.

It ends with what we say stands on each account, so that the other program refuses the file when it reckons otherwise.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import groupby

from apps.kit.money import Money
from apps.ledger.contracts import AccountType, Layer
from apps.ledger.models import Account, Entry, Transaction
from apps.ledger.selectors.reports import trial_balance
from apps.ledger.selectors.reports.basis import Row
from apps.tenancy.selectors import organisations

CHUNK = 2000
OPENED = date(1900, 1, 1)
ROOTS = {
    AccountType.ASSET: "Assets",
    AccountType.LIABILITY: "Liabilities",
    AccountType.EQUITY: "Equity",
    AccountType.INCOME: "Income",
    AccountType.EXPENSE: "Expenses",
    AccountType.MEMO: "Equity:Memo",
}


class Syntax(StrEnum):
    BEANCOUNT = "beancount"
    HLEDGER = "hledger"


@dataclass(frozen=True, slots=True)
class Posted:
    """A transaction with the entries that it posted, as names and sums."""

    header: Transaction
    legs: tuple[tuple[str, Money], ...]


def export(syntax: Syntax, *, as_of: date, known_at: datetime) -> Iterator[str]:
    """Yield the lines of the whole organisation's books up to a day, as known at an instant; the same each time."""
    sheet = trial_balance.read(as_of=as_of, known_at=known_at)
    write = _beancount if syntax == Syntax.BEANCOUNT else _hledger
    yield f"; {_line(organisations.current().name)}, as of {as_of}, known at {known_at.isoformat()}"
    yield from write(_posted(as_of, known_at), sheet.rows, as_of + timedelta(days=1))


def name(account: Account | Row) -> str:
    """Return the account's name in the file: ``Assets:1010``."""
    return f"{ROOTS[AccountType(account.type)]}:{account.code.replace('.', '-')}"


def _posted(as_of: date, known_at: datetime) -> Iterator[Posted]:
    entries = (
        Entry.objects.filter(
            layer=Layer.POSTED.value, effective_date__lte=as_of, transaction__posted_at__lte=known_at
        )
        .select_related("transaction", "account")
        .order_by("effective_date", "transaction_id", "seq")
    )
    for _, own in groupby(entries.iterator(chunk_size=CHUNK), lambda entry: entry.transaction_id):
        legs = list(own)
        yield Posted(
            legs[0].transaction,
            tuple((name(leg.account), Money(int(leg.amount) * leg.direction, leg.currency)) for leg in legs),
        )


def _beancount(posted: Iterable[Posted], rows: Iterable[Row], after: date) -> Iterator[str]:
    yield f'option "title" "{_quoted(organisations.current().name)}"'
    yield 'option "inferred_tolerance_default" "*:0"'
    for row in rows:
        yield f"{OPENED} open {name(row)} {row.currency.upper()}"
        yield f'  name: "{_quoted(row.name)}"'
        yield f'  branch: "{_quoted(row.branch_name)}"'
    for booked in posted:
        header = booked.header
        yield f'{header.effective_date} * "{header.number}" "{_quoted(header.description)}"'
        yield f'  uid: "{header.uid}"'
        yield f'  source: "{_quoted(header.source_type)} {header.source_id}"'
        yield from (f"  {account}  {money.text} {money.currency.upper()}" for account, money in booked.legs)
    for row in rows:
        yield f"{after} balance {name(row)}  {row.net.text} ~ 0 {row.currency.upper()}"


def _hledger(posted: Iterable[Posted], rows: Iterable[Row], after: date) -> Iterator[str]:
    for nothing in sorted({Money.zero(row.currency) for row in rows}, key=lambda money: money.currency):
        whole, _, part = nothing.text.partition(".")
        yield f"commodity {whole}.{part} {_commodity(nothing)}"  # with its point also where nothing follows
    for row in rows:
        yield f"account {name(row)}  ; {_line(row.name)}, {_line(row.branch_name)}"
    for booked in posted:
        header = booked.header
        yield ""
        yield f"{header.effective_date} * ({header.number}) {_line(header.description)}"
        yield from (f"    {account}  {money.text} {_commodity(money)}" for account, money in booked.legs)
    for row in rows:
        yield ""
        yield f"{after} * Balance of {name(row)}"
        yield f"    {name(row)}  0 {_commodity(row.net)} = {row.net.text} {_commodity(row.net)}"


def _quoted(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')


def _line(text: str) -> str:
    """Return a text that stays one line and starts no comment."""
    return " ".join(text.split()).replace(";", ",").replace("|", "/")


def _commodity(money: Money) -> str:
    return money.currency if money.currency.isalpha() else f'"{money.currency}"'
