"""Transactions of the ledger as pages show them."""

from collections.abc import Sequence
from uuid import UUID

from django.utils.translation import gettext

from apps.access.selectors import scope
from apps.access.selectors.scope import Principal
from apps.ledger.selectors import transactions
from apps.ledger.selectors.transactions import BookedLeg, BookedTransaction
from apps.portal.contracts import Booking, EntryLine


def booking(transaction: BookedTransaction, caller: Principal) -> Booking:
    """Return a transaction with its entries; accounts of other branches than the caller's are named, not linked."""
    return _booking(transaction, scope.branch_ids(caller))


def of_source(source_type: str, source_id: UUID, caller: Principal) -> tuple[Booking, ...]:
    """Return what a business row caused in the books, oldest first."""
    visible = scope.branch_ids(caller)
    return tuple(
        _booking(transaction, visible)
        for transaction in transactions.of_source(source_type, source_id, caller)
    )


def of_sources(source_type: str, source_ids: Sequence[UUID], caller: Principal) -> tuple[Booking, ...]:
    """Return what several business rows caused in the books, oldest first."""
    if not source_ids:
        return ()
    visible = scope.branch_ids(caller)
    booked = transactions.of_sources(source_type, source_ids, caller)
    return tuple(_booking(transaction, visible) for transaction in booked)


def _booking(transaction: BookedTransaction, visible: set[UUID] | None) -> Booking:
    totals = transaction.totals
    return Booking(
        uid=transaction.uid,
        number=transaction.number,
        description=transaction.description,
        posted_at=transaction.posted_at,
        entries=tuple(
            EntryLine(
                account_uid=leg.account_uid if visible is None or leg.branch_id in visible else None,
                account=_named(leg),
                debit=leg.debit,
                credit=leg.credit,
            )
            for leg in transaction.legs
        ),
        total=totals[0] if len(totals) == 1 else None,
    )


def _named(leg: BookedLeg) -> str:
    """Name the account, and say where the money is held only."""
    name = f"{leg.account_code} {leg.account_name}"
    return gettext("%(account)s, held") % {"account": name} if leg.is_pending else name
