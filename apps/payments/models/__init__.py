"""Payment intents, the attempts to collect them, refunds that give money back, and movements that providers list."""

from apps.payments.models.attempt import PaymentAttempt
from apps.payments.models.intent import PaymentIntent
from apps.payments.models.pull import PullCursor, PulledTransaction
from apps.payments.models.refund import Refund

__all__ = ["PaymentAttempt", "PaymentIntent", "PullCursor", "PulledTransaction", "Refund"]
