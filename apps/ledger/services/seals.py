"""Seals: what was booked, hashed into trees that are chained, minutes after the booking and beside it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from apps.audit.services import records
from apps.kit import errors, locks
from apps.kit.actors import Actor
from apps.kit.patience import long_statements
from apps.ledger import merkle
from apps.ledger.models import Seal
from apps.ledger.selectors import leaves
from apps.ledger.services.refusals import translated
from apps.tenancy.selectors import organisations

LEAVES_MAX = 5_000
SETTLING = timedelta(seconds=30)
"""Younger transactions wait, so that those of one instant are usually in one seal; nothing depends on it."""
LOOK_BACK = timedelta(hours=2)
BATCHES_AT_ONCE, BATCHES_AT_NIGHT = 20, 60
OVERDUE = timedelta(hours=1)

# By id, and never past a mark that says "all below are done": a transaction that commits late has a lower id than some that
# are sealed. The mark only says where to begin looking; run(is_thorough=True) begins at the first.
UNSEALED = """
    SELECT t.id FROM ledger_transaction t
    WHERE t.id > %(after)s AND t.posted_at <= %(before)s AND NOT EXISTS (
      SELECT FROM ledger_sealleaf leaf WHERE leaf.transaction_id = t.id AND leaf.transaction_id > %(after)s
    ) ORDER BY t.id LIMIT %(limit)s"""
LOWEST_RECENT = """
    SELECT coalesce(min(leaf.transaction_id) - 1, 0) FROM ledger_seal seal
    JOIN ledger_sealleaf leaf ON leaf.seal_id = seal.seq AND leaf.position = 0
    WHERE seal.seq >= coalesce((SELECT max(seq) FROM ledger_seal WHERE sealed_at < %s), 0)"""
STORE = "SELECT ledger_store_seal(%s, %s, %s, %s, %s::bigint[], %s::bytea[], %s)"


class SealsMissing(errors.DomainError):
    """A transaction is older than an hour and could not be sealed."""

    code = "ledger_seals_missing"
    title = "Transactions not sealed"
    status = 500
    category = "internal"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A seal that was made: its number, how many transactions it holds, the last one's id, and its hash."""

    seq: int
    count: int
    last_id: int
    seal_hash: bytes


def run(*, now: datetime, is_thorough: bool = False, batches: int = BATCHES_AT_ONCE) -> list[Sealed]:
    """
    Make seals until nothing waits or ``batches`` were made; each is a transaction of its own, and all or nothing.

    Safe to run at any time and twice at once: a second sealer finds the first at work and makes none. What committed up
    to 2 hours late is found each time, what committed later than that when ``is_thorough`` looks at every transaction.
    """
    after = 0 if is_thorough else _lowest_recent(now)
    made: list[Sealed] = []
    while len(made) < batches and (sealed := seal(now=now, after=after)):
        made.append(sealed)
        after = sealed.last_id
    return made


@transaction.atomic
def seal(*, now: datetime, after: int = 0) -> Sealed | None:
    """
    Seal up to 5,000 transactions that have no leaf, by id, beginning above ``after``.

    Takes no lock that a posting waits for. Returns None when nothing waits or another sealer is at work. Raises
    SealRefused when the seal would not follow the last one, and ClockSkewed.
    """
    organisation = organisations.current()
    if not locks.try_advisory("ledger.seal"):
        return None
    ids = _unsealed(after=after, before=now - SETTLING)
    if not ids:
        return None
    hashes = leaves.leaves(ids)
    leaf_hashes = [hashes[number] for number in ids]
    last = _last()
    seq = last.seq + 1 if last else 1
    prev_hash = bytes(last.seal_hash) if last else merkle.NOTHING_BEFORE
    root = merkle.root(leaf_hashes)
    seal_hash = merkle.seal_hash(
        prev_hash=prev_hash, merkle_root=root, seq=seq, count=len(ids), organisation_id=organisation.id
    )
    with translated(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(STORE, [seq, prev_hash, root, seal_hash, ids, leaf_hashes, now])
    return Sealed(seq=seq, count=len(ids), last_id=ids[-1], seal_hash=seal_hash)


@transaction.atomic
def make_now(*, actor: Actor, reason: str, now: datetime) -> list[Sealed]:
    """Seal whatever waits because somebody asks for it; leaves a record on the trail, also when nothing waited."""
    last = _last()
    seq = last.seq if last else 0
    made = run(now=now, is_thorough=True)
    records.write(
        action="ledger_sealed",
        object_type="ledger",
        object_id=str(organisations.current().id),
        actor=actor,
        now=now,
        changes={"last_seal": [seq, made[-1].seq if made else seq]},
        reason=reason,
    )
    return made


@long_statements()
def check(*, now: datetime) -> None:
    """
    Seal what was missed, however late it came; raise SealsMissing if something older than an hour is left.

    A longer queue than BATCHES_AT_NIGHT seals is left too: a seal's time may not be far from the database's clock.
    """
    run(now=now, is_thorough=True, batches=BATCHES_AT_NIGHT)
    left = _unsealed(after=0, before=now - OVERDUE)
    if left:
        raise SealsMissing(f"Transaction {left[0]} is older than an hour and has no seal.")


def _last() -> Seal | None:
    return Seal.objects.order_by("-seq").first()


def _unsealed(*, after: int, before: datetime) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(UNSEALED, {"after": after, "before": before, "limit": LEAVES_MAX})
        return [number for (number,) in cursor.fetchall()]


def _lowest_recent(now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(LOWEST_RECENT, [now - LOOK_BACK])
        (number,) = cursor.fetchone()
    return number
