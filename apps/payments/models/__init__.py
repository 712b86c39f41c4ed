"""Payment intents and the attempts to collect them."""

from apps.payments.models.attempt import PaymentAttempt
from apps.payments.models.intent import PaymentIntent

__all__ = ["PaymentAttempt", "PaymentIntent"]
