"""I9: every transaction against its leaf, every leaf against its tree, every seal against the one before."""

from collections.abc import Callable, Iterator
from itertools import chain
from uuid import UUID

from apps.ledger import merkle
from apps.ledger.models import Seal
from apps.ledger.selectors import leaves
from apps.ledger.services.seals import LEAVES_MAX
from apps.ledger.services.verification.invariants import Finding, Invariant, asked
from apps.tenancy.selectors import organisations

PAGE = 20
"""So many seals are read at once, and so often somebody who waits is told."""

ORPHANS = """
    SELECT 'transaction ' || leaf.transaction_id, format('has a leaf of seal %s, and there is no such seal', leaf.seal_id)
    FROM ledger_sealleaf leaf LEFT JOIN ledger_seal seal ON seal.seq = leaf.seal_id
    WHERE seal.seq IS NULL ORDER BY leaf.transaction_id LIMIT 20"""

# A seal with room left took whatever was there. What says that it was posted more than an hour before such a seal, and is in a
# later one or in none, was written afterwards. In a live organisation the clock tells as well: bookings keep to it.
BACKDATED = """
    WITH sealed AS (
      SELECT seq, max(sealed_at) FILTER (WHERE tx_count < %(full)s)
        OVER (ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS horizon
      FROM ledger_seal
    ), present AS (
      SELECT greatest(max(sealed_at), (SELECT clock_timestamp() FROM ledger_book WHERE NOT is_test)) AS horizon
      FROM ledger_seal WHERE tx_count < %(full)s
    )
    SELECT 'transaction ' || t.id,
      CASE WHEN leaf.seal_id IS NULL THEN format('says that it was posted at %%s, and is in no seal', t.posted_at)
           ELSE format('says that it was posted at %%s, and is in no seal up to %%s: it was written later', t.posted_at, sealed.horizon)
      END
    FROM ledger_transaction t
    LEFT JOIN ledger_sealleaf leaf ON leaf.transaction_id = t.id
    LEFT JOIN sealed ON sealed.seq = leaf.seal_id
    CROSS JOIN present
    WHERE t.posted_at < CASE WHEN leaf.seal_id IS NULL THEN present.horizon ELSE sealed.horizon END - interval '1 hour'
    ORDER BY t.id LIMIT 20"""


def search(progress: Callable[[str], None], *, since: int = 1) -> Iterator[Finding]:
    """Look at the seals from number ``since`` on, and whether every transaction of all is in one."""
    return chain(
        _seals(progress, since),
        asked(Invariant.SEALS, ORPHANS),
        asked(Invariant.SEALS, BACKDATED, {"full": LEAVES_MAX}),
    )


def _seals(progress: Callable[[str], None], since: int) -> Iterator[Finding]:
    """Recompute the chain, a seal at a time: no more than its 5,000 transactions are in memory."""
    organisation_id = organisations.current().id
    count = Seal.objects.count()
    before = Seal.objects.filter(seq=since - 1).first()
    last, last_hash = since - 1, bytes(before.seal_hash) if before else merkle.NOTHING_BEFORE
    while page := list(Seal.objects.filter(seq__gt=last).order_by("seq")[:PAGE]):
        for seal in page:
            if seal.seq != last + 1:
                yield _of_seal(last + 1, "is missing")
            elif bytes(seal.prev_hash) != last_hash:
                yield _of_seal(seal.seq, "does not follow from the seal before")
            yield from _seal(seal, organisation_id)
            last, last_hash = seal.seq, bytes(seal.seal_hash)
        if len(page) == PAGE:
            progress(f"{last} of {count} seals")


def _seal(seal: Seal, organisation_id: UUID) -> Iterator[Finding]:
    kept = list(seal.leaves.order_by("position").values_list("transaction_id", "position", "leaf_hash"))
    if [position for _, position, _ in kept] != list(range(seal.tx_count)):
        yield _of_seal(seal.seq, f"has {len(kept)} of {seal.tx_count} leaves, or not in a row")
    elif merkle.root([bytes(leaf) for *_, leaf in kept]) != bytes(seal.merkle_root):
        yield _of_seal(seal.seq, "has a root that its leaves do not lead to")
    expected = merkle.seal_hash(
        prev_hash=bytes(seal.prev_hash),
        merkle_root=bytes(seal.merkle_root),
        seq=seal.seq,
        count=seal.tx_count,
        organisation_id=organisation_id,
    )
    if expected != bytes(seal.seal_hash):
        yield _of_seal(seal.seq, "has a hash that is not of what it holds")
    present = leaves.leaves([number for number, *_ in kept])
    for number, position, leaf in kept:
        place = f"position {position} of seal {seal.seq}"
        if number not in present:
            yield Finding(Invariant.SEALS, f"transaction {number}", f"was sealed at {place} and is gone")
        elif present[number] != bytes(leaf):
            yield Finding(Invariant.SEALS, f"transaction {number}", f"is not what was sealed at {place}")


def _of_seal(seq: int, problem: str) -> Finding:
    return Finding(Invariant.SEALS, f"seal {seq}", problem)
