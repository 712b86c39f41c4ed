"""Addresses of the invoicing API."""

from rest_framework.routers import SimpleRouter

from apps.invoicing.api.views import ReceiptViewSet


def register(router: SimpleRouter) -> None:
    """Add the resources of this app to the router of the API."""
    router.register("receipts", ReceiptViewSet, basename="receipt")
