"""Letting API requests in by their key or access token: bearer, X-API-Key, or HTTP Basic with the key as the user."""

import base64
import binascii
from typing import Any
from urllib.parse import unquote_plus

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, QueryDict, UnreadablePostError
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from apps.access.contracts import Caller
from apps.access.services import access_tokens, api_keys
from apps.kit import clock, remote
from apps.tenancy.selectors import organisations

FORM = "application/x-www-form-urlencoded"


class ApiKeyAuthentication(authentication.BaseAuthentication):
    """
    Sets ``request.user`` to the Caller, and ``caller`` and ``actor`` on Django's request.

    Unknown, foreign, expired and revoked keys fail alike, and so do those that come from outside their networks. A
    request with two different keys fails too: nobody has to know which of them would win. A valid key of a suspended
    organisation is told so, and nobody else is.
    """

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        secrets = _secrets(request)
        if not secrets:
            return None
        return _let_in(request, _caller(secrets.pop(), _ip(request)) if len(secrets) == 1 else None)

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 (the same for every request)
        return "Bearer"


class ClientAuthentication(authentication.BaseAuthentication):
    """
    Lets a key in that is to be exchanged for an access token: its prefix as the client id, the whole key as the secret.

    They come by HTTP Basic or in the form, and not by both.
    """

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        pairs = _clients(request)
        if not pairs:
            return None
        client_id, secret = pairs.pop()
        caller = api_keys.authenticate(secret=secret, now=clock.now(), ip=_ip(request), is_for_token=True)
        is_named = caller is not None and caller.key.prefix == client_id and not pairs
        return _let_in(request, caller if is_named else None)

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 (the same for every request)
        return "Basic"


def _let_in(request: Request, caller: Caller | None) -> tuple[Caller, None]:
    if caller is None:
        raise exceptions.AuthenticationFailed
    plain: Any = request._request  # noqa: SLF001 (middleware reads Django's request)
    plain.caller, plain.actor = caller, caller.actor
    if organisations.current().is_suspended:
        raise organisations.Suspended
    return caller, None


def _caller(secret: str, ip: str) -> Caller | None:
    kind = access_tokens if access_tokens.is_one(secret) else api_keys
    return kind.authenticate(secret=secret, now=clock.now(), ip=ip)


def _ip(request: Request) -> str:
    return remote.address(request._request, trusted_proxies=settings.TREASURY["TRUSTED_PROXIES"])  # noqa: SLF001 (Django's request)


def _clients(request: Request) -> set[tuple[str, str]]:
    """Return the pairs of client id and secret that a request for a token bears."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    found = set()
    if scheme.lower() == "basic":
        user, _, password = _basic(value.strip()).partition(":")
        found.add((unquote_plus(user), unquote_plus(password)))
    form = _form(request._request)  # noqa: SLF001 (the body as sent: it is read again, as it is, for the rest of the form)
    if "client_secret" in form:
        found.add((str(form.get("client_id", "")), str(form["client_secret"])))
    return found


def _secrets(request: Request) -> set[str]:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    found = {request.headers.get("X-API-Key", "").strip()}
    if scheme.lower() == "bearer":
        found.add(value.strip())
    elif scheme.lower() == "basic":
        found.add(_basic(value.strip()).partition(":")[0])
    return found - {""}


def _form(request: HttpRequest) -> QueryDict:
    """Return the fields of a form; what is none, or too large to be one, has none: who sends it is not known yet."""
    try:
        return QueryDict(request.body) if request.content_type == FORM else QueryDict()
    except (SuspiciousOperation, UnreadablePostError):
        return QueryDict()


def _basic(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return ""
