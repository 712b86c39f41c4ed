"""The accounts on the other side of what was posted on an account."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from apps.ledger.contracts import Layer
from apps.ledger.models import Entry
from apps.ledger.selectors.accounts import AccountBalance


@dataclass(frozen=True, slots=True)
class CounterAccount:
    """An account on the other side of a transaction."""

    code: str
    name: str

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


def counters(
    account: AccountBalance, transactions: Collection[UUID]
) -> dict[UUID, tuple[CounterAccount, ...]]:
    """
    Return, by transaction, the accounts that stand on the side opposite to the account's own, each once: one query.

    Visibility is decided where ``account`` was read (``selectors.accounts.get``).
    """
    legs = (
        Entry.objects.filter(transaction__uid__in=transactions, layer=Layer.POSTED.value)
        .order_by("transaction_id", "seq")
        .values_list("transaction__uid", "direction", "account_id", "account__code", "account__name")
    )
    sides: dict[UUID, set[int]] = defaultdict(set)
    found: dict[UUID, dict[CounterAccount, int]] = defaultdict(dict)
    for transaction, direction, account_id, code, name in legs:
        if account_id == account.id:
            sides[transaction].add(-direction)
        else:
            found[transaction].setdefault(CounterAccount(code, name), direction)
    return {
        transaction: tuple(
            counter for counter, direction in found[transaction].items() if direction in opposite
        )
        for transaction, opposite in sides.items()
    }
