"""Reading what waits for evidence: payments and refunds of which nobody knows, and money that nobody has explained."""

from apps.access.selectors import scope
from apps.payments.contracts import IntentStatus, RefundStatus
from apps.payments.models import PulledTransaction
from apps.payments.models.intent import PaymentIntentQuerySet
from apps.payments.models.pull import PulledTransactionQuerySet
from apps.payments.models.refund import RefundQuerySet
from apps.payments.selectors import intents, refunds


def unknown_intents(caller: scope.Principal) -> PaymentIntentQuerySet:
    """Return the payments without an outcome, the oldest first."""
    return intents.visible_to(caller).filter(status=IntentStatus.UNKNOWN).order_by("id")


def unknown_refunds(caller: scope.Principal) -> RefundQuerySet:
    """Return the refunds without an outcome, the oldest first, each with its payment."""
    found = refunds.visible_to(caller).filter(status=RefundStatus.UNKNOWN)
    return found.select_related("intent").order_by("id")


def pulled_visible_to(caller: scope.Principal) -> PulledTransactionQuerySet:
    """Return the movements that accounts of the caller's branches listed."""
    return PulledTransaction.objects.of_branches(scope.branch_ids(caller))


def unmatched_pulls(caller: scope.Principal) -> PulledTransactionQuerySet:
    """Return the movements that are of no payment of ours, the newest first, each with its account."""
    return pulled_visible_to(caller).unmatched().select_related("provider_account").order_by("-id")
