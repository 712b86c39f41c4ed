"""Where the access API is found, below /v1/{tenantId}/."""

from rest_framework.routers import BaseRouter

from apps.access.api import schema, views

__all__ = ["register", "schema"]


def register(router: BaseRouter) -> None:
    """Add this app's resources to the router of the API."""
    router.register("api-keys", views.ApiKeyViewSet, basename="api-key")
    router.register("applications", views.ApplicationViewSet, basename="application")
    router.register("branches", views.BranchViewSet, basename="branch")
