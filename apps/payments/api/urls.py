"""Where the payments API is found, below /v1/{tenantId}/."""

from rest_framework.routers import BaseRouter

from apps.payments.api import bulk_views, dispute_views, method_views, routing_views, views


def register(router: BaseRouter) -> None:
    """Add this app's resources to the router of the API."""
    router.register("payments/bulk", bulk_views.BulkViewSet, basename="payment-bulk")
    router.register("payments/disputes", dispute_views.DisputeViewSet, basename="payment-dispute")
    router.register("payments/methods", method_views.SavedMethodViewSet, basename="payment-method")
    router.register("payments", views.PaymentIntentViewSet, basename="payment")
    router.register("inbound-receipts", views.InboundReceiptViewSet, basename="inbound-receipt")
    router.register("routing-rules", routing_views.RoutingRuleViewSet, basename="routing-rule")
    router.register("refunds", views.RefundViewSet, basename="refund")
