"""Letting API requests in by their key or access token: bearer, X-API-Key, or HTTP Basic with the key as the user."""

import base64
import binascii
from typing import Any
from urllib.parse import unquote_plus

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, QueryDict, UnreadablePostError
from rest_framework import authentication
from rest_framework.request import Request

from apps.access.contracts import Caller
from apps.access.services import access_tokens, api_keys, quotas
from apps.kit import clock, remote
from apps.tenancy.selectors import organisations

FORM = "application/x-www-form-urlencoded"


def recognise(request: HttpRequest, *, is_client: bool) -> Caller | None:
    """
    Find out who shows a credential of the schema that was entered, and note him as ``caller`` and ``actor``; None for a stranger.

    Unknown, foreign, expired and revoked keys fail alike, and so do those that come from outside their networks. A
    request with two different keys fails too: nobody has to know which of them would win. Where a client of OAuth
    comes the key's prefix is the client id and the whole key the secret, by HTTP Basic or in the form, and not by both.
    """
    noted: Any = request
    noted.caller = _client(request) if is_client else _bearer(request)
    if noted.caller is not None:
        noted.actor = noted.caller.actor
    return noted.caller


class ApiKeyAuthentication(authentication.BaseAuthentication):
    """Lets in whom ``recognise`` found; a valid key of a suspended organisation is told so, as often as it may ask."""

    challenge = "Bearer"

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        caller: Caller | None = getattr(request._request, "caller", None)  # noqa: SLF001 (the middleware noted it there)
        if caller is None:
            return None
        if organisations.current().is_suspended:
            verdict = quotas.take(caller, is_money=False, is_reading=False, now=clock.now())
            counted: Any = request
            counted.rate_headers = verdict.headers
            raise organisations.Suspended if verdict.is_allowed else quotas.refusal(verdict)
        return caller, None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 (the same for every request)
        return self.challenge


class ClientAuthentication(ApiKeyAuthentication):
    """The same for a client of OAuth: a key that is exchanged for an access token, or ends one."""

    challenge = "Basic"


def _bearer(request: HttpRequest) -> Caller | None:
    secrets = _secrets(request)
    if len(secrets) != 1:
        return None
    secret = secrets.pop()
    kind = access_tokens if access_tokens.is_one(secret) else api_keys
    return kind.authenticate(secret=secret, now=clock.now(), ip=_ip(request))


def _client(request: HttpRequest) -> Caller | None:
    pairs = _clients(request)
    if len(pairs) != 1:
        return None
    client_id, secret = pairs.pop()
    caller = api_keys.authenticate(secret=secret, now=clock.now(), ip=_ip(request), is_for_token=True)
    return caller if caller is not None and caller.key.prefix == client_id else None


def _ip(request: HttpRequest) -> str:
    return remote.address(request, trusted_proxies=settings.TREASURY["TRUSTED_PROXIES"])


def _clients(request: HttpRequest) -> set[tuple[str, str]]:
    """Return the pairs of client id and secret that a request for a token bears."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    found = set()
    if scheme.lower() == "basic":
        user, _, password = _basic(value.strip()).partition(":")
        found.add((unquote_plus(user), unquote_plus(password)))
    form = _form(request)
    if "client_secret" in form:
        found.add((str(form.get("client_id", "")), str(form["client_secret"])))
    return found


def _secrets(request: HttpRequest) -> set[str]:
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
