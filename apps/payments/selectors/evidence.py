"""Reading what waits for evidence: payments and refunds of which nobody knows, and what lists tell that nobody has explained."""

from apps.access.selectors import scope
from apps.payments.contracts import IntentStatus, RefundStatus
from apps.payments.models.inbound import InboundReceiptQuerySet
from apps.payments.models.intent import PaymentIntentQuerySet
from apps.payments.models.listed_movement import ListedMovementQuerySet
from apps.payments.models.refund import RefundQuerySet
from apps.payments.selectors import inbound_receipts, intents, refunds
from apps.payments.selectors import listed_movements as listed


def unknown_intents(caller: scope.Principal) -> PaymentIntentQuerySet:
    """Return the payments without an outcome, the oldest first."""
    return intents.visible_to(caller).filter(status=IntentStatus.UNKNOWN).order_by("id")


def unknown_refunds(caller: scope.Principal) -> RefundQuerySet:
    """Return the refunds without an outcome, the oldest first, each with its payment."""
    found = refunds.visible_to(caller).filter(status=RefundStatus.UNKNOWN)
    return found.select_related("intent").order_by("id")


def waiting_receipts(caller: scope.Principal) -> InboundReceiptQuerySet:
    """Return the money in suspense that nobody has decided about, the newest first, each with its account."""
    found = inbound_receipts.visible_to(caller).waiting()
    return found.select_related("provider_account").order_by("-id")


def listed_movements(caller: scope.Principal) -> ListedMovementQuerySet:
    """Return the listed movements that are left for people, the newest first, each with the payment that it is of."""
    return listed.visible_to(caller).open().order_by("-id")
