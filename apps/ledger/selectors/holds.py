"""Holds with their accounts, within the caller's branches."""

from django.db.models import QuerySet

from apps.access.selectors.scope import Principal
from apps.ledger.models import Hold
from apps.ledger.selectors import transactions


def visible_to(caller: Principal | None) -> QuerySet[Hold]:
    """Return the holds that touch the caller's branches; None is the system and sees all."""
    holds = Hold.objects.select_related("transaction", "debit_account", "credit_account")
    if caller is None:
        return holds
    return holds.filter(transaction__in=transactions.visible_to(caller))
