"""Reading refunds, within what a caller may see."""

from uuid import UUID

from apps.access.selectors import scope
from apps.kit import errors
from apps.payments.models import Refund
from apps.payments.models.refund import RefundQuerySet


def visible_to(caller: scope.Principal) -> RefundQuerySet:
    """
    Return the refunds of the caller's branches.

    A key sees those of its own application, a person those of all.
    """
    refunds = Refund.objects.of_branches(scope.branch_ids(caller))
    return refunds.of_applications(scope.application_ids(caller))


def get(caller: scope.Principal, refund_id: UUID) -> Refund:
    """Return one refund with its payment; raise NotFound for one that is not visible to the caller."""
    found = visible_to(caller).select_related("intent", "branch", "provider_account")
    refund = found.filter(id=refund_id).first()
    if refund is None:
        raise errors.NotFound("There is no such refund.")
    return refund


def of_intent(intent_id: UUID) -> RefundQuerySet:
    """Return the refunds of an intent, the first one first, each with its provider account."""
    return Refund.objects.filter(intent_id=intent_id).select_related("provider_account").order_by("id")
