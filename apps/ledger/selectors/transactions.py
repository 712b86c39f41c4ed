"""Transactions with their entries: one by its id, or those of a source."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.db.models.expressions import Combinable

from apps.access.selectors import scope
from apps.access.selectors.scope import Principal
from apps.kit import errors
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole, Direction, Layer, TransactionKind
from apps.ledger.models import Entry, Transaction


@dataclass(frozen=True, slots=True)
class BookedLeg:
    """One entry of a transaction, with its account's number and name."""

    account_uid: UUID
    account_code: str
    account_name: str
    role: AccountRole
    branch_id: UUID
    debit: Money | None
    credit: Money | None
    is_pending: bool


@dataclass(frozen=True, slots=True)
class Related:
    """Another transaction that this one refers to: its public id and the number that people read."""

    uid: UUID
    number: str


@dataclass(frozen=True, slots=True)
class BookedTransaction:
    """
    A transaction and its legs, debits first as they were booked. ``number`` is for people: LT-0482377.

    ``related`` holds what it reverses, the hold that it is a step of and what reversed it, by these names.
    """

    id: int
    uid: UUID
    number: str
    kind: TransactionKind
    description: str
    reference: str
    effective_date: date
    event_at: datetime | None
    posted_at: datetime
    source_type: str
    source_id: UUID
    created_by: str
    approved_by: str
    reason: str
    cost_centre: str
    dimensions: Mapping[str, str]
    related: Mapping[str, Related]
    legs: tuple[BookedLeg, ...]

    @property
    def totals(self) -> tuple[Money, ...]:
        """The sum of the posted debits of each currency; the credits are equal."""
        sums: dict[str, Money] = {}
        for leg in self.legs:
            if leg.debit is not None and not leg.is_pending:
                sums[leg.debit.currency] = (
                    sums.get(leg.debit.currency, Money.zero(leg.debit.currency)) + leg.debit
                )
        return tuple(sums.values())


def visible_to(caller: Principal | None) -> QuerySet[Transaction]:
    """Return the transactions that touch the caller's branches; None is the system and sees all."""
    branches = None if caller is None else scope.branch_ids(caller)
    if branches is None:
        return Transaction.objects.all()
    touched = Entry.objects.filter(account__branch_id__in=branches).values("transaction_id")
    return Transaction.objects.filter(id__in=touched)


def with_entries(transactions: QuerySet[Transaction]) -> QuerySet[Transaction]:
    """Read the entries with their accounts, what a transaction reverses or steps from, and what reversed it."""
    entries = Entry.objects.select_related("account").order_by("seq")
    return transactions.select_related("reverses", "hold").prefetch_related(
        Prefetch("entries", entries), "reversed_by"
    )


def get(uid: UUID, caller: Principal | None = None) -> BookedTransaction:
    """Return one transaction; raise NotFound unless the caller sees a branch that it touches."""
    found = _read(visible_to(caller).filter(uid=uid))
    if not found:
        raise errors.NotFound("There is no such transaction.")
    return found[0]


def of_source(source_type: str, source_id: UUID, caller: Principal | None = None) -> list[BookedTransaction]:
    """Return what a business row caused, oldest first: three queries."""
    return _read(visible_to(caller).filter(source_type=source_type, source_id=source_id))


def of_sources(
    source_type: str, source_ids: Iterable[UUID], caller: Principal | None = None
) -> list[BookedTransaction]:
    """Return what several business rows caused, oldest first: three queries. Without a caller no scope is asked."""
    return _read(visible_to(caller).filter(source_type=source_type, source_id__in=list(source_ids)))


def uid_of(key: str) -> UUID:
    """Return the public id of what was booked under a key; raise NotFound. For internal use: no caller's scope is asked."""
    uid = Transaction.objects.filter(idem_key=key).values_list("uid", flat=True).first()
    if uid is None:
        raise errors.NotFound("Nothing was booked under this key.")
    return uid


def is_booked(source_type: str, source_id: OuterRef, key: Combinable) -> Exists:
    """Return the condition that a row of an outer query was booked under a key. For internal use: no caller's scope is asked."""
    own = Transaction.objects.filter(source_type=source_type, source_id=source_id)
    return Exists(own.filter(idem_key=key))


def _read(transactions: QuerySet[Transaction]) -> list[BookedTransaction]:
    return [_contract(transaction) for transaction in with_entries(transactions).order_by("id")]


def _contract(transaction: Transaction) -> BookedTransaction:
    reversed_by = next(iter(transaction.reversed_by.all()), None)
    related = {"reverses": transaction.reverses, "hold": transaction.hold, "reversed_by": reversed_by}
    return BookedTransaction(
        id=transaction.id,
        uid=transaction.uid,
        number=transaction.number,
        kind=TransactionKind(transaction.kind),
        description=transaction.description,
        reference=transaction.reference,
        effective_date=transaction.effective_date,
        event_at=transaction.event_at,
        posted_at=transaction.posted_at,
        source_type=transaction.source_type,
        source_id=transaction.source_id,
        created_by=transaction.created_by,
        approved_by=transaction.approved_by,
        reason=transaction.reason,
        cost_centre=transaction.cost_centre,
        dimensions=transaction.dimensions or {},
        related={name: Related(other.uid, other.number) for name, other in related.items() if other},
        legs=tuple(_leg(entry) for entry in transaction.entries.all()),
    )


def _leg(entry: Entry) -> BookedLeg:
    money = Money(int(entry.amount), entry.currency)
    is_debit = entry.direction == Direction.DEBIT
    return BookedLeg(
        account_uid=entry.account.uid,
        account_code=entry.account.code,
        account_name=entry.account.name,
        role=AccountRole(entry.account.role),
        branch_id=entry.account.branch_id,
        debit=money if is_debit else None,
        credit=None if is_debit else money,
        is_pending=entry.layer == Layer.PENDING,
    )
