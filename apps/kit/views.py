"""The base of every API view: scopes are declared, idempotency is a setting, an identifier is read once."""

from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from apps.kit import ids
from apps.kit.filters import StrictFilterSet


class TreasuryViewSet(viewsets.GenericViewSet):
    """
    A viewset whose actions each name the scope that they need, and which of them are idempotent.

    ``required_scopes`` maps action to scope (checked by the permission class in settings; an action without one is
    refused). A list without filters of its own refuses every filter. Actions in ``idempotent_actions`` run inside the wrapper that TREASURY["IDEMPOTENCY"] names: it opens
    the transaction, stores the rendered answer under the Idempotency-Key and replays it.
    """

    required_scopes: ClassVar[dict[str, str]] = {}
    idempotent_actions: ClassVar[frozenset[str]] = frozenset()
    id_prefix: ClassVar[str] = ""
    lookup_field = "id"
    lookup_url_kwarg = "id"
    filterset_class: ClassVar[Any] = StrictFilterSet
    lookup_value_regex = r"[^/.]+"

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        prepared = super().initialize_request(request, *args, **kwargs)
        handler_name = self.action or ""
        if handler_name in self.idempotent_actions:
            wrapper = import_string(settings.TREASURY["IDEMPOTENCY"])
            handler = getattr(type(self), handler_name)
            setattr(self, handler_name, wrapper(handler).__get__(self))
            method = (request.method or "").lower()
            setattr(self, method, getattr(self, handler_name))
        return prepared

    def perform_authentication(self, request: Request) -> None:
        """Let the caller in and count the request before it is looked at any further: a refusal costs as much."""
        super().perform_authentication(request)
        super().check_throttles(request)

    def check_throttles(self, request: Request) -> None:
        """Do nothing: the request was counted when its caller was let in."""

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Say on every answer how often the caller may ask."""
        answered = super().finalize_response(request, response, *args, **kwargs)
        for name, value in getattr(request, "rate_headers", {}).items():
            answered[name] = value
        return answered

    def path_id(self) -> UUID:
        """Return the identifier in the path; another prefix or form is a 404."""
        return ids.decode(self.id_prefix, self.kwargs[self.lookup_url_kwarg])

    def get_object(self) -> Any:
        """Return the row of the path from ``get_queryset``, which shows only what the caller may see."""
        row = self.get_queryset().filter(**{self.lookup_field: self.path_id()}).first()
        if row is None:
            raise ids.InvalidId("no such row")
        return row
