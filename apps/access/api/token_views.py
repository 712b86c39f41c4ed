"""The token endpoint of OAuth 2 (RFC 6749, section 4.4): client credentials, and no other grant; revocation (RFC 7009)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from oauthlib.oauth2 import (
    BackendApplicationServer,
    OAuth2Error,
    RequestValidator,
    RevocationEndpoint,
    UnsupportedTokenTypeError,
)
from rest_framework import exceptions
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.access.api import serializers
from apps.access.authentication import ClientAuthentication
from apps.access.contracts import Caller
from apps.access.services import access_tokens, api_keys
from apps.access.throttles import ExchangeThrottle
from apps.kit import clock


@dataclass(frozen=True, slots=True)
class Client:
    """A client as oauthlib wants it."""

    client_id: str


class Exchange(RequestValidator):
    """One request for a token by a client that is known already."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.issued: access_tokens.IssuedToken | None = None

    def authenticate_client(self, request: Any, *_: Any, **__: Any) -> bool:
        request.client = Client(self.caller.key.prefix)
        return True

    def validate_grant_type(self, *_: Any, **__: Any) -> bool:
        return True

    def get_default_scopes(self, *_: Any, **__: Any) -> list[str]:
        return sorted(access_tokens.offered(self.caller))

    def validate_scopes(self, _: str, scopes: list[str], *__: Any, **___: Any) -> bool:
        return bool(scopes) and set(scopes) <= access_tokens.offered(self.caller)

    def make(self, request: Any) -> str:
        return self._issue(request).text

    def lifetime(self, request: Any) -> int:
        return int(self._issue(request).lifetime.total_seconds())

    def save_bearer_token(self, *_: Any, **__: Any) -> None:
        """Do nothing: it was kept when it was made."""

    def _issue(self, request: Any) -> access_tokens.IssuedToken:
        if self.issued is None:
            self.issued = access_tokens.issue(caller=self.caller, scopes=request.scopes, now=clock.now())
        return self.issued


class Revocation(RequestValidator):
    """One token that a client wants to end."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    def client_authentication_required(self, *_: Any, **__: Any) -> bool:
        return True

    def authenticate_client(self, request: Any, *_: Any, **__: Any) -> bool:
        request.client = Client(self.caller.key.prefix)
        return True

    def revoke_token(self, token: str, *_: Any, **__: Any) -> None:
        if api_keys.is_one(token):
            raise UnsupportedTokenTypeError
        access_tokens.revoke(caller=self.caller, secret=token, now=clock.now())


class TokenView(APIView):
    """Exchanges a key for an access token; who shows no valid key learns nothing, not even which organisations there are."""

    authentication_classes = [ClientAuthentication]
    permission_classes = []
    throttle_classes = [ExchangeThrottle]
    parser_classes = [FormParser]

    @extend_schema(
        operation_id="oauth_token_create",
        request={"application/x-www-form-urlencoded": serializers.TokenIn},
        responses={
            200: serializers.TokenOut,
            400: OpenApiResponse(OpenApiTypes.OBJECT, "`error` as in RFC 6749, section 5.2."),
        },
    )
    def post(self, request: Request, **_: str) -> HttpResponse:
        """
        Exchange a key for an access token of 15 minutes, with some of its scopes or all of them but `keys:write`.

        The client id is the key's `prefix`, the client secret the whole key, by HTTP Basic or in the body.
        """
        if not isinstance(request.user, Caller):
            raise exceptions.NotAuthenticated
        exchange = Exchange(request.user)
        server = BackendApplicationServer(
            exchange, token_generator=exchange.make, token_expires_in=exchange.lifetime
        )
        return _answered(request, server.create_token_response)


class RevocationView(APIView):
    """Ends an access token before its time; a client ends those of its own key."""

    authentication_classes = [ClientAuthentication]
    permission_classes = []
    throttle_classes = [ExchangeThrottle]
    parser_classes = [FormParser]

    @extend_schema(
        operation_id="oauth_revoke_create",
        request={"application/x-www-form-urlencoded": serializers.RevocationIn},
        responses={
            200: OpenApiResponse(description="The token opens nothing, whatever it was before."),
            400: OpenApiResponse(OpenApiTypes.OBJECT, "`error` as in RFC 6749, section 5.2, and RFC 7009."),
        },
    )
    def post(self, request: Request, **_: str) -> HttpResponse:
        """
        End an access token of the client's own key, from the next request on.

        Of a token that is not known, or is another key's, the answer is the same, and nothing happens. A key is ended
        by `POST …/api-keys/{id}/revoke`.
        """
        if not isinstance(request.user, Caller):
            raise exceptions.NotAuthenticated
        endpoint = RevocationEndpoint(Revocation(request.user), supported_token_types=["access_token"])
        return _answered(request, endpoint.create_revocation_response)


def _answered(request: Request, ask: Callable[..., tuple[dict[str, str], str, int]]) -> HttpResponse:
    """Return what oauthlib says to the body as it was sent; an address with a query is refused, as the standard has it."""
    plain = request._request  # noqa: SLF001 (the body as sent)
    uri = f"{plain.path}?is=refused" if plain.META.get("QUERY_STRING") else plain.path
    try:
        headers, body, status = ask(uri, "POST", plain.body.decode("utf-8", "replace"), dict(plain.headers))
    except OAuth2Error as error:
        headers, body, status = error.headers, error.json, error.status_code
    told = getattr(request, "rate_headers", {})
    kind = {"Content-Type": "application/json"}
    return HttpResponse(body, status=status, headers={**kind, **headers, **told})
