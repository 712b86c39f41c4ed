"""Addresses below ``/hooks/<organisation>/``, a token in hex and the kind of callback; and the API's, below /v1/{tenantId}/."""

from django.urls import re_path
from rest_framework.routers import BaseRouter

from apps.integrations.api import account_views, views

urlpatterns = [
    re_path(
        r"^(?P<token>[0-9a-f]{16,64})/(?P<kind>[a-z][a-z0-9-]{0,31})$",
        views.receive,
        name="provider-callback",
    ),
]


def register(router: BaseRouter) -> None:
    """Add this app's resources to the router of the API."""
    router.register("provider-accounts", account_views.ProviderAccountViewSet, basename="provider-account")
    router.register(
        "provider-error-rules", account_views.ProviderErrorRuleViewSet, basename="provider-error-rule"
    )
