"""Reading money that arrived, within what a caller may see."""

from uuid import UUID

from django.db.models import Q, QuerySet

from apps.access.contracts import PORTAL
from apps.access.selectors import scope
from apps.kit import errors
from apps.payments.models import InboundReceipt
from apps.payments.models.inbound import WAITING_STATES, InboundReceiptQuerySet, reference_key


def visible_to(caller: scope.Principal) -> InboundReceiptQuerySet:
    """
    Return the receipts of accounts of the caller's branches.

    A key sees those of payments of its own application, and what waits in suspense and is of no application yet; a
    person sees all.
    """
    found = InboundReceipt.objects.of_branches(scope.branch_ids(caller))
    chosen = scope.application_ids(caller)
    if chosen is None:
        return found
    waiting = Q(status__in=WAITING_STATES, application__slug=PORTAL)
    return found.filter(Q(application_id__in=chosen) | waiting)


def get(caller: scope.Principal, inbound_id: UUID) -> InboundReceipt:
    """Return one receipt with its account, payment and owner; raise NotFound for one that is not visible to the caller."""
    found = visible_to(caller).select_related("provider_account", "branch", "intent", "owner__user")
    inbound = found.filter(id=inbound_id).first()
    if inbound is None:
        raise errors.NotFound("There is no such receipt.")
    return inbound


def of_intent(intent_id: UUID) -> InboundReceiptQuerySet:
    """Return the receipts that pay a payment, or seem to, the oldest first. For internal use: no caller's scope is asked."""
    return InboundReceipt.objects.filter(intent_id=intent_id).order_by("id")


def found_by(receipts: QuerySet[InboundReceipt], term: str) -> QuerySet[InboundReceipt]:
    """Return those that a receipt or a reference names exactly, however it is typed; all of them for an empty term."""
    key = reference_key(term)
    return receipts.filter(Q(receipt=term.strip().upper()) | Q(reference_key=key)) if key else receipts
