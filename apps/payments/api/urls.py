"""Where the payments API is found, below /v1/{tenantId}/."""

from rest_framework.routers import BaseRouter

from apps.payments.api import views


def register(router: BaseRouter) -> None:
    """Add this app's resources to the router of the API."""
    router.register("payments", views.PaymentIntentViewSet, basename="payment")
    router.register("inbound-receipts", views.InboundReceiptViewSet, basename="inbound-receipt")
    router.register("refunds", views.RefundViewSet, basename="refund")
