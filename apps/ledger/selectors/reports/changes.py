"""What changed since: the transactions that a report would hold now and did not when it was printed."""

from datetime import date, datetime

from django.db.models import QuerySet

from apps.access.selectors.scope import Principal
from apps.ledger.models import Transaction
from apps.ledger.selectors import transactions


def since(
    known_at: datetime, *, as_of: date, until: datetime | None = None, caller: Principal | None = None
) -> QuerySet[Transaction]:
    """
    Return the transactions dated up to ``as_of`` that were posted after ``known_at``, in the order of their posting.

    ``until`` is the later of the two times that are compared; None is all that is posted by now.
    """
    found = transactions.visible_to(caller).filter(effective_date__lte=as_of, posted_at__gt=known_at)
    if until is not None:
        found = found.filter(posted_at__lte=until)
    return found.order_by("posted_at", "id")
