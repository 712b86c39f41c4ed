"""Seals as people see them: the last one, and the one that holds a transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from apps.ledger.models import Seal, SealLeaf


@dataclass(frozen=True, slots=True)
class SealState:
    """A seal: its number, how many transactions it holds, when it was made, and its hash, as 0x and hex."""

    seq: int
    count: int
    sealed_at: datetime
    seal_hash: str


def last() -> SealState | None:
    """Return the newest seal, by whose hash somebody else can hold the books to what they are now."""
    seal = Seal.objects.order_by("-seq").first()
    return _state(seal) if seal else None


def of_transactions(numbers: Iterable[int]) -> dict[int, SealState]:
    """Return the seal of each transaction that has one, by the transaction's number: one query."""
    found = SealLeaf.objects.filter(transaction_id__in=list(numbers)).select_related("seal")
    return {leaf.transaction_id: _state(leaf.seal) for leaf in found}


def _state(seal: Seal) -> SealState:
    return SealState(seal.seq, seal.tx_count, seal.sealed_at, f"0x{bytes(seal.seal_hash).hex()}")
