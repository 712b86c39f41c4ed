"""Letting API requests in by their key: bearer token, X-API-Key, or HTTP Basic with the key as the user."""

import base64
import binascii
from typing import Any

from django.conf import settings
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from apps.access.contracts import Caller
from apps.access.services import api_keys
from apps.kit import clock, remote
from apps.tenancy.selectors import organisations


class ApiKeyAuthentication(authentication.BaseAuthentication):
    """
    Sets ``request.user`` to the Caller, and ``caller`` and ``actor`` on Django's request.

    Unknown, foreign, expired and revoked keys fail alike, and so do those that come from outside their networks. A request with two different keys fails too: nobody has
    to know which of them would win. A valid key of a suspended organisation is told so, and nobody else is.
    """

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        secrets = _secrets(request)
        if not secrets:
            return None
        plain: Any = request._request  # noqa: SLF001 (middleware reads Django's request)
        ip = remote.address(plain, trusted_proxies=settings.TREASURY["TRUSTED_PROXIES"])
        caller = (
            api_keys.authenticate(secret=secrets.pop(), now=clock.now(), ip=ip) if len(secrets) == 1 else None
        )
        if caller is None:
            raise exceptions.AuthenticationFailed
        plain.caller, plain.actor = caller, caller.actor
        if organisations.current().is_suspended:
            raise organisations.Suspended
        return caller, None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 (the same for every request)
        return "Bearer"


def _secrets(request: Request) -> set[str]:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    found = {request.headers.get("X-API-Key", "").strip()}
    if scheme.lower() == "bearer":
        found.add(value.strip())
    elif scheme.lower() == "basic":
        found.add(_basic_user(value.strip()))
    return found - {""}


def _basic_user(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("ascii").partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""
