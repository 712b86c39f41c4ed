"""Where the disbursements API is found, below /v1/{tenantId}/."""

from rest_framework.routers import BaseRouter

from apps.disbursements.api import views


def register(router: BaseRouter) -> None:
    """Add this app's resources to the router of the API."""
    router.register("connected-accounts", views.ConnectedAccountViewSet, basename="connected-account")
    router.register("transfers", views.TransferViewSet, basename="transfer")
