"""Reading refunds, within what a caller may see."""

from uuid import UUID

from django.db.models import Q, QuerySet

from apps.access.selectors import scope
from apps.kit import errors
from apps.payments.contracts import RefundStatus
from apps.payments.models import PaymentAttempt, Refund
from apps.payments.models.refund import RefundQuerySet


def visible_to(caller: scope.Principal) -> RefundQuerySet:
    """
    Return the refunds of the caller's branches, each with its attempt, which knows the currency of its charge.

    A key sees those of its own application, a person those of all.
    """
    refunds = Refund.objects.of_branches(scope.branch_ids(caller)).select_related("attempt")
    return refunds.of_applications(scope.application_ids(caller))


def get(caller: scope.Principal, refund_id: UUID) -> Refund:
    """Return one refund with its payment; raise NotFound for one that is not visible to the caller."""
    found = visible_to(caller).select_related("intent", "branch", "provider_account")
    refund = found.filter(id=refund_id).first()
    if refund is None:
        raise errors.NotFound("There is no such refund.")
    return refund


def found_by(refunds: QuerySet[Refund], term: str) -> QuerySet[Refund]:
    """Return those that the receipt of the payment or of the refund names exactly; all of them for an empty term."""
    terms = [term.strip(), term.strip().upper()]
    named = Q(payment_receipt__in=terms) | Q(provider_receipt__in=terms)
    return refunds.filter(named) if terms[0] else refunds


def with_status(status: str) -> RefundQuerySet:
    """Return the refunds in a state, each with payment and account, the oldest first. For internal use: no caller's scope is asked."""
    found = Refund.objects.filter(status=RefundStatus(status))
    return found.select_related("intent", "provider_account", "branch").order_by("id")


def of_intent(intent_id: UUID) -> RefundQuerySet:
    """Return the refunds of an intent, the first one first, each with its attempt and provider account."""
    found = Refund.objects.filter(intent_id=intent_id).select_related("attempt", "provider_account")
    return found.order_by("id")


def is_let_go(attempt: PaymentAttempt) -> bool:
    """Say whether an attempt carried money that could not be given back, which waits under its receipt again."""
    return not attempt.provider_receipt and Refund.objects.filter(attempt_id=attempt.id).exists()
