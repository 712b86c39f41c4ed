"""Payment intents, the attempts to collect them, money that arrived, refunds that give it back, and movements that providers list."""

from apps.payments.models.attempt import PaymentAttempt
from apps.payments.models.inbound import InboundReceipt
from apps.payments.models.intent import PaymentIntent
from apps.payments.models.pull import PullCursor, PulledTransaction
from apps.payments.models.refund import Refund

__all__ = [
    "InboundReceipt",
    "PaymentAttempt",
    "PaymentIntent",
    "PullCursor",
    "PulledTransaction",
    "Refund",
]
