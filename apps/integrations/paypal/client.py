"""One account's line to PayPal: access token, call, and the verdict on what came back."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.integrations.paypal import answers, codes
from apps.integrations.ports import (
    ProviderDeclined,
    ProviderUnavailable,
    ProviderUncertain,
    Token,
    TokenStore,
    Transport,
)
from apps.kit import http

API_URL = "https://api-m.paypal.com"
SANDBOX_URL = "https://api-m.sandbox.paypal.com"
TOKEN_PATH = "/v1/oauth2/token"  # noqa: S105 (a path)
TOKEN_LIFE_DEFAULT = 3600
ACCEPTED = range(200, 300)
CREDENTIALS_REFUSED = frozenset({400, 401})
JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class PaypalLine:
    """
    Calls of one account.

    ``call`` and ``send`` return the object that came with a 2xx status, an empty one where PayPal has nothing to say, or raise
    ProviderDeclined, ProviderUnavailable (nothing was carried out) or ProviderUncertain. ``key`` names a request for good:
    PayPal gives its first answer to it again. They repeat a request once, when the token was refused: that happens before any
    processing.
    """

    base_url: str
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    transport: Transport = field(repr=False)
    tokens: TokenStore = field(repr=False)

    def get(self, kind: str, path: str) -> Mapping[str, Any]:
        return self.send(kind, "GET", path)

    def post(self, kind: str, path: str, body: Mapping[str, Any], *, key: str = "") -> Mapping[str, Any]:
        return self.send(kind, "POST", path, json.dumps(body).encode(), key=key)

    def send(
        self,
        kind: str,
        method: str,
        path: str,
        content: bytes = b"",
        *,
        key: str = "",
        content_type: str = JSON_TYPE,
    ) -> Mapping[str, Any]:
        headers = {"Content-Type": content_type, "Accept": JSON_TYPE, "Prefer": "return=representation"}
        if key:
            headers["PayPal-Request-Id"] = key
        token = self.tokens.get(self._fetch_token)
        try:
            return self._send(kind, method, path, headers, content, token)
        except ProviderUnavailable as refusal:
            if refusal.code != codes.TOKEN_REFUSED:
                raise
        self.tokens.forget(token)
        return self._send(kind, method, path, headers, content, self.tokens.get(self._fetch_token))

    def fetch(self, kind: str, url: str) -> bytes:
        """Return what lies at an address for everybody; raise ProviderUnavailable where it cannot be had."""
        try:
            answer = self.transport.send(kind=kind, method="GET", url=url, headers={}, content=b"")
        except (http.NotSent, http.NoAnswer) as error:
            raise ProviderUnavailable("network_unreachable", str(error), provider_code=error.kind) from error
        if answer.status not in ACCEPTED:
            raise ProviderUnavailable(
                "provider_unavailable", f"HTTP {answer.status}", provider_code=f"http:{answer.status}"
            )
        return answer.body

    def sign_in(self) -> None:
        """Fetch a token that is kept nowhere, with the secrets as they are now."""
        self._fetch_token()

    def _send(
        self, kind: str, method: str, path: str, headers: Mapping[str, str], content: bytes, token: str
    ) -> Mapping[str, Any]:
        try:
            answer = self.transport.send(
                kind=kind,
                method=method,
                url=self.base_url + path,
                headers={"Authorization": f"Bearer {token}", **headers},
                content=content,
            )
        except http.NotSent as error:
            raise ProviderUnavailable("network_unreachable", str(error), provider_code=error.kind) from error
        except http.NoAnswer as error:
            raise ProviderUncertain(codes.OUTCOME_UNKNOWN, str(error), provider_code=error.kind) from error
        return _read(kind, answer)

    def _fetch_token(self) -> Token:
        """Fetch a token. No money is asked for here, so every failure is safe to repeat, save refused credentials."""
        basic = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        try:
            answer = self.transport.send(
                kind="oauth",
                method="POST",
                url=self.base_url + TOKEN_PATH,
                headers={
                    "Authorization": f"Basic {basic}",
                    "Content-Type": "application/x-www-form-urlencoded",
                    "Accept": JSON_TYPE,
                },
                content=b"grant_type=client_credentials",
            )
        except (http.NotSent, http.NoAnswer) as error:
            raise ProviderUnavailable("network_unreachable", str(error), provider_code=error.kind) from error
        body = answers.body(answer.body) or {}
        if answer.status in CREDENTIALS_REFUSED:
            reason = "invalid_credentials"
            told = answers.text(body.get("error"))[: codes.LONGEST_CODE] or f"http:{answer.status}"
            raise ProviderDeclined(reason, codes.MESSAGES[reason], provider_code=told)
        value, seconds = body.get("access_token"), body.get("expires_in")
        if answer.status not in ACCEPTED or not isinstance(value, str) or not value:
            raise ProviderUnavailable(
                "provider_unavailable", "no access token", provider_code=f"http:{answer.status}"
            )
        return Token(value, seconds if isinstance(seconds, int) else TOKEN_LIFE_DEFAULT)


def _read(kind: str, answer: http.Answer) -> Mapping[str, Any]:
    """Return the object of an accepted request, or raise what the answer stands for."""
    if answer.status == codes.HTTP_NO_CONTENT:
        return {}
    body = answers.body(answer.body)
    if answer.status in ACCEPTED and body is not None:
        return body
    told = body or {}
    raise codes.Refusal(
        answer.status,
        kind,
        name=answers.text(told.get("name")),
        issue=answers.text(answers.first(told, "details").get("issue")),
    ).error()
