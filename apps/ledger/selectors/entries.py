"""The entries of an account, newest first, with running balance, counter-accounts and source."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Q

from apps.kit.money import Money
from apps.ledger.contracts import AccountRole, Direction, Layer
from apps.ledger.models import Entry
from apps.ledger.selectors.accounts import AccountBalance

ROWS = 50


@dataclass(frozen=True, slots=True)
class CounterAccount:
    """An account on the other side of a transaction."""

    uid: UUID
    code: str
    name: str
    role: AccountRole


@dataclass(frozen=True, slots=True)
class Line:
    """
    One line of an account's page.

    ``balance`` is the account's balance after this entry on its normal side; None for a sharded account, whose entries
    have no single order.
    """

    transaction_uid: UUID
    transaction_number: str
    posted_at: datetime
    effective_date: date
    event_at: datetime | None
    description: str
    reference: str
    source_type: str
    source_id: UUID
    debit: Money | None
    credit: Money | None
    balance: Money | None
    counter_accounts: tuple[CounterAccount, ...]


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Lines, newest first; ``older`` is the cursor of the next page, empty on the last one."""

    lines: tuple[Line, ...]
    older: str


def page(account: AccountBalance, *, before: str = "", rows: int = ROWS) -> EntryPage:
    """
    Return a page of what was posted on an account by keyset: two queries, no count. A cursor that is none starts at the newest.

    Visibility is decided where ``account`` was read (``selectors.accounts.get``).
    """
    entries = Entry.objects.filter(account_id=account.id, layer=Layer.POSTED.value).select_related(
        "transaction"
    )
    version, dot, shard = before.partition(".")
    if dot and version.isdecimal() and shard.isdecimal():
        entries = entries.filter(Q(version__lt=int(version)) | Q(version=int(version), shard__lt=int(shard)))
    found = list(entries.order_by("-version", "-shard")[: rows + 1])
    shown = found[:rows]
    counters = _counters(shown)
    older = f"{shown[-1].version}.{shown[-1].shard}" if len(found) > rows else ""
    return EntryPage(tuple(_line(entry, account, counters[entry.transaction_id]) for entry in shown), older)


def _counters(entries: list[Entry]) -> dict[int, list[CounterAccount]]:
    """Return, by transaction, the accounts on the side opposite to the given entries."""
    sides = {(entry.transaction_id, -entry.direction) for entry in entries}
    legs = Entry.objects.filter(
        transaction_id__in={number for number, _ in sides}, layer=Layer.POSTED.value
    ).select_related("account")
    counters: dict[int, list[CounterAccount]] = defaultdict(list)
    for leg in legs.order_by("transaction_id", "seq"):
        counter = CounterAccount(
            leg.account.uid, leg.account.code, leg.account.name, AccountRole(leg.account.role)
        )
        if (leg.transaction_id, leg.direction) in sides and counter not in counters[leg.transaction_id]:
            counters[leg.transaction_id].append(counter)
    return counters


def _line(entry: Entry, account: AccountBalance, counters: list[CounterAccount]) -> Line:
    money = Money(int(entry.amount), entry.currency)
    is_debit = entry.direction == Direction.DEBIT
    net = Money(int(entry.net_after), entry.currency)
    balance = None if account.is_sharded else net if account.is_debit_normal else -net
    return Line(
        transaction_uid=entry.transaction.uid,
        transaction_number=entry.transaction.number,
        posted_at=entry.transaction.posted_at,
        effective_date=entry.effective_date,
        event_at=entry.transaction.event_at,
        description=entry.transaction.description,
        reference=entry.transaction.reference,
        source_type=entry.transaction.source_type,
        source_id=entry.transaction.source_id,
        debit=money if is_debit else None,
        credit=None if is_debit else money,
        balance=balance,
        counter_accounts=tuple(counters),
    )
