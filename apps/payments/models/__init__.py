"""Payment intents, their attempts, money that arrived, refunds that give it back, disputes that take it back, ways to pay that are kept, and how far lists are read."""

from apps.payments.models.attempt import PaymentAttempt
from apps.payments.models.bulk import BulkItem
from apps.payments.models.dispute import Dispute
from apps.payments.models.dispute_file import DisputeFile
from apps.payments.models.inbound import InboundReceipt
from apps.payments.models.intent import PaymentIntent
from apps.payments.models.listed_movement import ListedMovement
from apps.payments.models.pay_page import PayPage
from apps.payments.models.policy import CollectionPolicy
from apps.payments.models.pull import PullCursor
from apps.payments.models.refund import Refund
from apps.payments.models.routing import RoutingDecision, RoutingRule, RoutingTarget
from apps.payments.models.saved_method import SavedMethod

__all__ = [
    "BulkItem",
    "CollectionPolicy",
    "Dispute",
    "DisputeFile",
    "InboundReceipt",
    "ListedMovement",
    "PayPage",
    "PaymentAttempt",
    "PaymentIntent",
    "PullCursor",
    "Refund",
    "RoutingDecision",
    "RoutingRule",
    "RoutingTarget",
    "SavedMethod",
]
