"""Leaves: the canonical texts of booked transactions, read back from their rows, and the hashes that a seal holds of them."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import batched, groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import connection

from apps.ledger import merkle

READ_AT_ONCE = 500
"""So many transactions are in memory with their legs, of which each may have thousands."""

ROWS = """
    SELECT t.id, t.uid, t.idem_key, t.kind, t.effective_date, t.posted_at,
      (SELECT uid FROM ledger_transaction WHERE id = t.reverses_id), t.description,
      e.seq, a.uid, e.currency, e.layer, e.direction, e.amount
    FROM ledger_transaction t
    LEFT JOIN ledger_entry e ON e.transaction_id = t.id
    LEFT JOIN ledger_account a ON a.id = e.account_id
    WHERE t.id = ANY (%s::bigint[]) ORDER BY t.id, e.seq"""


def statements(transaction_ids: Sequence[int]) -> Iterator[tuple[int, str]]:
    """Yield (id, text) by id; a transaction that does not exist is left out."""
    for some in batched(transaction_ids, READ_AT_ONCE):
        with connection.cursor() as cursor:
            cursor.execute(ROWS, [list(some)])
            rows = cursor.fetchall()
        for number, legs in groupby(rows, itemgetter(0)):
            yield number, _statement(list(legs))


def leaves(transaction_ids: Sequence[int]) -> dict[int, bytes]:
    """Return the leaf of each transaction, as its rows are now, by id."""
    return {number: merkle.leaf(text) for number, text in statements(transaction_ids)}


def _statement(rows: list[tuple[Any, ...]]) -> str:
    _, uid, key, kind, effective_date, posted_at, reverses, description, *_ = rows[0]
    return merkle.statement(
        merkle.SealedFacts(
            uid=uid,
            key=key,
            kind=kind,
            effective_date=effective_date,
            posted_at=posted_at,
            reverses=reverses,
            description=description,
            legs=[_leg(*row[8:]) for row in rows if row[8] is not None],
        )
    )


def _leg(
    seq: int, account_uid: UUID, currency: str, layer: int, direction: int, amount: Decimal
) -> merkle.SealedLeg:
    return merkle.SealedLeg(seq, account_uid, currency, layer, direction, int(amount))
