"""Payment intents, the attempts to collect them, and the refunds that give collected money back."""

from apps.payments.models.attempt import PaymentAttempt
from apps.payments.models.intent import PaymentIntent
from apps.payments.models.refund import Refund

__all__ = ["PaymentAttempt", "PaymentIntent", "Refund"]
