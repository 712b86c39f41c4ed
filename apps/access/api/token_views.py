"""The token endpoint of OAuth 2 (RFC 6749, section 4.4): client credentials, and no other grant."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from oauthlib.oauth2 import BackendApplicationServer, OAuth2Error, RequestValidator
from rest_framework import exceptions
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.access.api import serializers
from apps.access.authentication import ClientAuthentication
from apps.access.contracts import Caller
from apps.access.services import access_tokens
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
        plain = request._request  # noqa: SLF001 (the body as sent)
        uri = f"{plain.path}?is=refused" if plain.META.get("QUERY_STRING") else plain.path
        try:
            headers, body, status = server.create_token_response(
                uri, "POST", plain.body.decode("utf-8", "replace"), dict(plain.headers)
            )
        except OAuth2Error as error:
            headers = {"Content-Type": "application/json", **error.headers}
            body, status = error.json, error.status_code
        told = getattr(request, "rate_headers", {})
        return HttpResponse(body, status=status, headers={**headers, **told})
