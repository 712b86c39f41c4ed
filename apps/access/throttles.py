"""Counting the requests of a credential where the API lets it in."""

from typing import TYPE_CHECKING

from rest_framework import permissions, throttling
from rest_framework.request import Request

from apps.access.contracts import Caller
from apps.access.services import quotas
from apps.kit import clock

if TYPE_CHECKING:  # rest_framework.views imports this module, because settings name it
    from rest_framework.views import APIView


class CredentialThrottle(throttling.BaseThrottle):
    """Counts every request of a credential, refused ones too, in one call, and puts the standard headers on its answer."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        caller = request.user
        if not isinstance(caller, Caller):
            return True  # the permission says so in the words that belong to it
        is_reading = request.method in permissions.SAFE_METHODS
        verdict = quotas.take(caller, is_money=self.is_money(view), is_reading=is_reading, now=clock.now())
        request.rate_headers = verdict.headers
        if not verdict.is_allowed:
            raise quotas.refusal(verdict)
        return True

    def is_money(self, view: "APIView") -> bool:
        """Whether the request moves money or makes a document: it takes an Idempotency-Key then."""
        return getattr(view, "action", None) in getattr(view, "idempotent_actions", ())


class ExchangeThrottle(CredentialThrottle):
    """Counts exchanges of a key for a token as what moves money: each leaves a row."""

    def is_money(self, view: "APIView") -> bool:  # noqa: ARG002 (every one does)
        return True
