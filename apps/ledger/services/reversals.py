"""Reversals: a booking taken back by one that turns every leg of it around."""

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from django.db.models import QuerySet

from apps.audit.services import records
from apps.kit import errors, locks
from apps.kit.actors import Actor
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole, Booked, Direction, Draft, Layer, Leg, TransactionKind
from apps.ledger.models import Entry, Transaction
from apps.ledger.selectors import rates
from apps.ledger.services import calls, exchanges, journals
from apps.ledger.services.refusals import AlreadyReversed

__all__ = ["AlreadyReversed", "NotReversible", "reverse", "reverse_closing"]

REVERSIBLE = [
    TransactionKind.POSTING,
    TransactionKind.ADJUSTMENT,
    TransactionKind.EXCHANGE,
    TransactionKind.REVALUATION,
    TransactionKind.OPENING,
]


class NotReversible(errors.DomainError):
    """The transaction is a reversal or a step of a hold, or the date lies before it."""

    code = "ledger_not_reversible"
    title = "Cannot be reversed"
    status = 422


@calls.whole
def reverse(
    *,
    transaction_id: UUID,
    reason: str,
    actor: Actor,
    now: datetime,
    effective_date: date | None = None,
    approved_by: str = "",
    force: bool = False,
) -> Booked:
    """
    Book the opposite of a transaction, once; the same request again returns the reversal that stands (``is_replay``).

    ``effective_date`` None is today's in the book's zone; it may not lie before the original's. ``force`` passes over limits,
    where the money is no longer there. Raises NotFound, NotReversible (a reversal, a closing, a hold or a step of one: release
    what is held instead), AlreadyReversed (with another reason, date or ``approved_by``), and what ``journals.post`` raises. It locks as that does; of two at once the second waits.
    """
    return _reverse(
        _original(transaction_id, REVERSIBLE),
        reason=reason,
        actor=actor,
        now=now,
        effective_date=effective_date,
        approved_by=approved_by,
        force=force,
    )


@calls.whole
def reverse_closing(
    *,
    transaction_id: UUID,
    reason: str,
    actor: Actor,
    now: datetime,
    effective_date: date,
    approved_by: str,
) -> Booked:
    """Take a year's closing back, past limits: for the reopening of its period. Otherwise as ``reverse``."""
    return _reverse(
        _original(transaction_id, [TransactionKind.CLOSING]),
        reason=reason,
        actor=actor,
        now=now,
        effective_date=effective_date,
        approved_by=approved_by,
        force=True,
    )


def _original(transaction_id: UUID, kinds: Collection[TransactionKind]) -> Transaction:
    original = Transaction.objects.filter(uid=transaction_id).first()
    if original is None:
        raise errors.NotFound("There is no such transaction.")
    if original.kind not in kinds:
        raise NotReversible(f"A {original.kind.lower()} is not reversed; book what corrects it.")
    return original


def _reverse(
    original: Transaction,
    *,
    reason: str,
    actor: Actor,
    now: datetime,
    effective_date: date | None,
    approved_by: str,
    force: bool,
) -> Booked:
    if not reason.strip():
        raise NotReversible("A reversal needs a reason.")
    if effective_date is not None and effective_date < original.effective_date:
        raise NotReversible(f"A reversal is dated {original.effective_date:%Y-%m-%d} or later.")
    # Of two at once the key alone decides, not its other index.
    locks.advisory(f"ledger:reversal:{original.uid}")
    exchanges.lock_positions(_positions(original))
    draft = _draft(original, reason=reason.strip(), effective_date=effective_date, approved_by=approved_by)
    try:
        booked = journals.post(draft=draft, actor=actor, now=now, force=force)
    except journals.KeyReused as error:
        raise AlreadyReversed(f"{original.number} was reversed before.") from error
    if booked.effective_date < original.effective_date:
        raise NotReversible(f"A reversal is dated {original.effective_date:%Y-%m-%d} or later.")
    if not booked.is_replay:
        _record(original, booked, reason=draft.reason, actor=actor, now=now, force=force)
    return booked


def _positions(original: Transaction) -> QuerySet[Entry, tuple[UUID, str]]:
    """Return branch and currency of each position that was moved; the one in functional currency is its cost."""
    moved = original.entries.filter(account__role=AccountRole.FX_POSITION)
    return moved.exclude(currency=rates.functional_currency()).values_list("account__branch_id", "currency")


def _draft(original: Transaction, *, reason: str, effective_date: date | None, approved_by: str) -> Draft:
    return Draft(
        key=f"ledger:reversal:{original.uid}",
        description=f"Reversal of {original.number}",
        source_type="ledger_transaction",
        source_id=original.uid,
        legs=tuple(_turned(entry) for entry in original.entries.select_related("account").order_by("seq")),
        kind=TransactionKind.REVERSAL,
        effective_date=effective_date,
        reference=original.reference,
        approved_by=approved_by,
        reason=reason,
        reverses=original.id,
        cost_centre=original.cost_centre,
        dimensions=original.dimensions,
    )


def _turned(entry: Entry) -> Leg:
    money = Money(int(entry.amount), entry.currency)
    is_debit = entry.direction == Direction.DEBIT
    return Leg(
        entry.account.ref,
        debit=None if is_debit else money,
        credit=money if is_debit else None,
        layer=Layer(entry.layer),
    )


def _record(
    original: Transaction, booked: Booked, *, reason: str, actor: Actor, now: datetime, force: bool
) -> None:
    records.write(
        action="ledger.transaction_reversed",
        object_type="ledger_transaction",
        object_id=str(original.uid),
        actor=actor,
        now=now,
        changes={"reversed_by": ["", str(booked.id)], "is_forced": [False, force]},
        reason=reason,
    )
