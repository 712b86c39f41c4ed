"""What people asked to book by hand, for a person in the portal: its lines in words, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from apps.access.selectors import scope
from apps.access.selectors.scope import Principal
from apps.approvals.selectors import requests
from apps.kit.money import Money
from apps.ledger.contracts import REVERSAL, Direction
from apps.ledger.selectors import accounts
from apps.ledger.selectors import handwritten as asked
from apps.ledger.selectors.handwritten import Outcome
from apps.ledger.selectors.transactions import BookedTransaction
from apps.ledger.services.adjustments import JournalLine, NewJournal
from apps.portal.contracts import EntryLine


@dataclass(frozen=True, slots=True)
class Planned:
    """The lines that will be booked; ``totals`` is the sum of the debits of each currency, and ``total`` the only one."""

    entries: tuple[EntryLine, ...]
    totals: tuple[Money, ...]

    @property
    def total(self) -> Money | None:
        return self.totals[0] if len(self.totals) == 1 else None


@dataclass(frozen=True, slots=True)
class AskedReversal:
    """The last request to reverse a transaction; ``request_id`` is None for one that the reader may not see."""

    request_id: UUID | None
    is_waiting: bool
    is_failed: bool
    detail: str


def planned(payload: Mapping[str, Any], reader: Principal) -> Planned | None:
    """Return the lines of what was asked for with their accounts' names, or None for a payload without lines."""
    lines = payload.get("lines")
    if not lines:
        return None
    return _planned(
        [
            JournalLine(
                UUID(line["account"]), Direction[line["side"]], Money(int(line["minor"]), line["currency"])
            )
            for line in lines
        ],
        reader,
    )


def planned_journal(journal: NewJournal, reader: Principal) -> Planned:
    """Return the lines of a journal that is not asked for yet."""
    return _planned(journal.lines, reader)


def _planned(lines: Sequence[JournalLine], reader: Principal) -> Planned:
    known, visible = accounts.named({line.account_id for line in lines}), scope.branch_ids(reader)
    entries: list[EntryLine] = []
    sums: dict[str, Money] = {}
    for line in lines:
        account, money = known[line.account_id], line.money
        is_debit = line.direction is Direction.DEBIT
        entries.append(
            EntryLine(
                account_uid=account.uid if visible is None or account.branch_id in visible else None,
                account=str(account),
                debit=money if is_debit else None,
                credit=None if is_debit else money,
            )
        )
        if is_debit:
            sums[money.currency] = sums.get(money.currency, Money.zero(money.currency)) + money
    return Planned(tuple(entries), tuple(sums.values()))


def reversal_of(booked: BookedTransaction, reader: Principal) -> AskedReversal | None:
    """Return the request to reverse a transaction that waits, is under way or has failed; None where there is none."""
    request = asked.last_about(REVERSAL, booked.uid)
    if request is None or "reversed_by" in booked.related:
        return None
    told = asked.told([request])[request.id]
    if told.outcome not in (Outcome.WAITING, Outcome.UNDERWAY, Outcome.FAILED):
        return None
    is_seen = requests.visible_to(reader).filter(id=request.id).exists()
    return AskedReversal(
        request_id=request.id if is_seen else None,
        is_waiting=told.outcome is not Outcome.FAILED,
        is_failed=told.outcome is Outcome.FAILED,
        detail=told.detail,
    )
