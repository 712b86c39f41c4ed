"""Reading listed movements: what is left for people, what is explained by now, and what became of each."""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.access.selectors import scope
from apps.integrations.ports import NudgeKind
from apps.integrations.selectors import accounts
from apps.payments.contracts.listed import ListedMatter
from apps.payments.models import InboundReceipt, ListedMovement, PaymentAttempt, Refund
from apps.payments.models.listed_movement import ListedMovementQuerySet


def visible_to(caller: scope.Principal) -> ListedMovementQuerySet:
    """Return the listed movements of accounts of the caller's branches, open or closed, each with its account and payment."""
    found = ListedMovement.objects.of_branches(scope.branch_ids(caller))
    return found.select_related("provider_account", "attempt")


def found_by(movements: QuerySet[ListedMovement], term: str) -> QuerySet[ListedMovement]:
    """Return those that a receipt or the provider's number names exactly; all of them for an empty term."""
    term = term.strip()
    return movements.filter(Q(receipt=term) | Q(number=term)) if term else movements


def explained() -> ListedMovementQuerySet:
    """
    Return the open ones that are of something that is booked by now. For internal use: no caller's scope is asked.

    Money of a payment: booked under the receipt of the row, by an attempt or in suspense. A refund: booked as gone out, where the
    row took money, and as come back, where it brought some. A fee that differs: the booked fee is that of the row now. What is
    booked stays booked, so a row of a payment or a refund that is found here once is found until it is closed.
    """
    booked = PaymentAttempt.objects.filter(**_alike(), booked_at__isnull=False)
    paid = booked.exclude(provider_receipt="").filter(provider_receipt=OuterRef("receipt"))
    received = InboundReceipt.objects.filter(receipt=OuterRef("receipt"), booked_at__isnull=False)
    held = received.filter(**_alike(), provider=OuterRef("provider_account__provider"))
    gone = Refund.objects.filter(**_alike(), refunded_at__isnull=False)
    gone = gone.exclude(ticket="").filter(ticket=OuterRef("ticket"))
    nobodys = ListedMovement.objects.open().filter(matter=ListedMatter.NOBODYS)
    payments = nobodys.filter(Exists(paid) | Exists(held), about=NudgeKind.COLLECTION)
    refunds = nobodys.filter(about=NudgeKind.REFUND)
    went = refunds.filter(Exists(gone), amount_minor__lt=0)
    came = refunds.filter(Exists(gone.filter(came_back_at__isnull=False)), amount_minor__gt=0)
    return payments | went | came | _of_known_fee()


def _of_known_fee() -> ListedMovementQuerySet:
    """Return the open ones whose fee differed when they were listed and is booked now."""
    in_currency = Q(settled_currency=OuterRef("fee_currency")) | Q(
        settled_currency="", received_currency=OuterRef("fee_currency")
    )
    same = PaymentAttempt.objects.filter(
        in_currency, id=OuterRef("attempt_id"), fee_minor=OuterRef("fee_minor")
    )
    return ListedMovement.objects.open().filter(Exists(same), matter=ListedMatter.FEE_DIFFERS)


def of_partners() -> ListedMovementQuerySet:
    """
    Return the open ones that are of a transfer to somebody else's account, or of what came back of one: ``ticket`` is the provider's
    handle of it. For internal use: no caller's scope is asked.
    """
    return ListedMovement.objects.open().filter(about=NudgeKind.PARTNER).exclude(ticket="")


def payment_of(movement: ListedMovement) -> PaymentAttempt | None:
    """Return the attempt whose payment or refund the movement is of, once that is booked; None where it waits in suspense."""
    if movement.attempt is not None:
        return movement.attempt
    own = accounts.alike(movement.provider_account)
    if movement.about == NudgeKind.REFUND:
        refunds = Refund.objects.filter(provider_account__in=own, ticket=movement.ticket)
        refund = refunds.select_related("attempt").first()
        return refund.attempt if refund else None
    booked = PaymentAttempt.objects.filter(provider_account__in=own, booked_at__isnull=False)
    return booked.bearing(movement.receipt, provider=movement.provider_account.provider).first()


def _alike() -> dict[str, Any]:
    """Return what is the same in the accounts that are one with that of the movement."""
    return {f"provider_account__{name}": OuterRef(f"provider_account__{name}") for name in accounts.ALIKE}
