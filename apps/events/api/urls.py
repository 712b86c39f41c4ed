"""Where the events API is found, below /v1/{tenantId}/."""

from rest_framework.routers import BaseRouter

from apps.events.api import views


def register(router: BaseRouter) -> None:
    """Add this app's resources to the router of the API."""
    router.register("events", views.EventViewSet, basename="event")
    for name, viewset in (("payment", views.PaymentEventViewSet), ("refund", views.RefundEventViewSet)):
        router.register(rf"{name}s/(?P<object_id>[^/.]+)/events", viewset, basename=f"{name}-event")
    router.register("webhook-endpoints", views.WebhookEndpointViewSet, basename="webhook-endpoint")
    router.register("webhook-deliveries", views.WebhookDeliveryViewSet, basename="webhook-delivery")
    router.register("sandbox-inboxes", views.SandboxInboxViewSet, basename="sandbox-inbox")
