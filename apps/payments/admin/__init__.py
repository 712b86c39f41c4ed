"""The pages of payments in the organisation's site."""

from apps.payments.admin.payments import CreatedFilter, PaymentIntentAdmin, RefundAdmin
from apps.payments.admin.suspense import InboundReceiptAdmin

__all__ = ["CreatedFilter", "InboundReceiptAdmin", "PaymentIntentAdmin", "RefundAdmin"]
