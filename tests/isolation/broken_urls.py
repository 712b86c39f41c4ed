"""A view of the API that always fails, to ask who gets so far."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from apps.kit.views import TreasuryViewSet


class BrokenViewSet(TreasuryViewSet):
    """Fails on our side."""

    required_scopes = {"list": "branches:read"}

    def list(self, _: Request, **__: str) -> Response:
        raise RuntimeError("broken")


urlpatterns = [path("v1/<str:tenant_id>/broken", BrokenViewSet.as_view({"get": "list"}))]
handler500 = "treasury.errors.server_error"
