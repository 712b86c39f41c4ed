"""Opening balances: taken over from a file as one journal that another person agrees to."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from apps.kit import errors, money
from apps.kit.actors import Actor
from apps.kit.errors import FieldError
from apps.kit.money import Money
from apps.ledger.contracts import LEG_MAX, Direction, TransactionKind
from apps.ledger.importers import Row, read, refuse
from apps.ledger.models import Account
from apps.ledger.services import adjustments
from apps.ledger.services.adjustments import JournalLine, NewJournal

COLUMNS = ("account", "currency", "debit", "credit")
DESCRIPTION = "Opening balances"


def plan(*, content: bytes, within: Collection[UUID] | None = None) -> list[JournalLine]:
    """
    Return the lines of a file of opening balances; nothing is written.

    A row names an account by its code and has its sum as a debit or a credit, as 1234.50. Raises FileInvalid with every
    problem: an unknown account, another currency than the account's, both sums or none, too many decimals, an account
    twice, and a currency whose debits and credits differ, by how much.
    """
    rows = read(content, columns=COLUMNS)
    codes = {row.cells["account"] for row in rows}
    known = Account.objects.filter(code__in=codes)
    if within is not None:
        known = known.filter(branch_id__in=within)
    accounts = {account.code: account for account in known}
    problems: list[FieldError] = []
    lines: list[JournalLine] = []
    seen: set[str] = set()
    for row in rows:
        found = _problems(row, accounts.get(row.cells["account"]), seen)
        problems += found
        seen.add(row.cells["account"])
        if not found:
            lines.append(_line(row, accounts[row.cells["account"]]))
    refuse(problems)
    refuse(_differences(lines))
    return lines


def journal(
    *,
    content: bytes,
    voucher: str,
    reason: str,
    effective_date: date,
    within: Collection[UUID] | None = None,
) -> NewJournal:
    """Return the journal that a file of opening balances makes; nothing is written. Raises as ``plan``."""
    return NewJournal(
        voucher=voucher,
        description=DESCRIPTION,
        reason=reason,
        effective_date=effective_date,
        lines=plan(content=content, within=within),
        kind=TransactionKind.OPENING,
    )


@transaction.atomic
def ask(
    *,
    content: bytes,
    voucher: str,
    reason: str,
    effective_date: date,
    actor: Actor,
    now: datetime,
    within: Collection[UUID] | None = None,
) -> UUID:
    """Ask other people to agree to the opening balances of a file; return the approval request's id. Raises as ``plan`` and ``adjustments.ask``."""
    asked = journal(
        content=content, voucher=voucher, reason=reason, effective_date=effective_date, within=within
    )
    return adjustments.ask(journal=asked, actor=actor, now=now, within=within)


def _problems(row: Row, account: Account | None, seen: set[str]) -> list[FieldError]:
    cells = row.cells
    if account is None:
        return [
            row.wrong("account", f"there is no account {cells['account'] or 'without a code'}.", "unknown")
        ]
    found = []
    if cells["account"] in seen:
        found.append(row.wrong("account", f"{cells['account']} stands in the file twice.", "duplicate"))
    if cells["currency"] != account.currency:
        found.append(row.wrong("currency", f"{account} is kept in {account.currency}."))
    if bool(cells["debit"]) == bool(cells["credit"]):
        return [*found, row.wrong("debit", "write either a debit or a credit.")]
    side = "debit" if cells["debit"] else "credit"
    if _sum(cells[side], account.currency) is None:
        found.append(row.wrong(side, f"{cells[side]!r} is no sum in {account.currency}; write 1234.50."))
    return found


def _sum(text: str, currency: str) -> Money | None:
    """Return a positive sum that is written in digits with at most one point; None for anything else."""
    whole, _, part = text.partition(".")
    if not (whole.isascii() and whole.isdecimal() and (not part or (part.isascii() and part.isdecimal()))):
        return None
    exponent = money.exponent(currency)
    minor = Decimal(text).scaleb(exponent)
    if len(part) > exponent or not 0 < minor <= LEG_MAX:
        return None
    return Money(int(minor), currency)


def _line(row: Row, account: Account) -> JournalLine:
    side = Direction.DEBIT if row.cells["debit"] else Direction.CREDIT
    found = _sum(row.cells["debit"] or row.cells["credit"], account.currency)
    if found is None:
        raise ValueError("the row was checked before")
    return JournalLine(account.uid, side, found)


def _differences(lines: Sequence[JournalLine]) -> list[errors.FieldError]:
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.money.currency] = sums.get(line.money.currency, 0) + line.direction * line.money.minor
    return [
        FieldError(
            "/rows",
            "unbalanced",
            f"{'Debits' if sum_ > 0 else 'Credits'} in {currency} are {Money(abs(sum_), currency)} more:"
            " put the difference on the account of opening balances.",
        )
        for currency, sum_ in sums.items()
        if sum_
    ]
