"""The pages of payments in the organisation's site."""

from apps.payments.admin.disputes import DisputeAdmin
from apps.payments.admin.filters import CreatedFilter
from apps.payments.admin.listed_movements import ListedMovementAdmin
from apps.payments.admin.payments import PaymentIntentAdmin
from apps.payments.admin.refunds import RefundAdmin
from apps.payments.admin.routing import RoutingRuleAdmin
from apps.payments.admin.saved_methods import SavedMethodAdmin
from apps.payments.admin.suspended_payments import SuspendedPaymentAdmin
from apps.payments.admin.suspense import InboundReceiptAdmin

__all__ = [
    "CreatedFilter",
    "DisputeAdmin",
    "InboundReceiptAdmin",
    "ListedMovementAdmin",
    "PaymentIntentAdmin",
    "RefundAdmin",
    "RoutingRuleAdmin",
    "SavedMethodAdmin",
    "SuspendedPaymentAdmin",
]
