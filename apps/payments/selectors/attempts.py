"""Reading payment attempts."""

from uuid import UUID

from apps.payments.models import PaymentAttempt
from apps.payments.models.attempt import PaymentAttemptQuerySet


def parts(intent_id: UUID) -> PaymentAttemptQuerySet:
    """Return the attempts whose money pays an intent, in the order in which it was booked."""
    return PaymentAttempt.objects.paying().filter(intent_id=intent_id)


def of_intent(intent_id: UUID) -> PaymentAttemptQuerySet:
    """Return the attempts of an intent, the first one first, each with its provider account."""
    attempts = PaymentAttempt.objects.filter(intent_id=intent_id)
    return attempts.select_related("provider_account").order_by("number")
