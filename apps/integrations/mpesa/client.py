"""Talks to Daraja: token, POST, and the verdict on what came back."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from apps.integrations.mpesa import codes, values
from apps.integrations.ports import (
    ProviderDeclined,
    ProviderUnavailable,
    ProviderUncertain,
    Token,
    TokenStore,
    Transport,
)
from apps.kit import http

TOKEN_PATH = "/oauth/v1/generate"  # noqa: S105 (a path)
TOKEN_LIFE_DEFAULT = 3599
ACCEPTED = range(200, 300)
CREDENTIALS_REFUSED = frozenset({400, 401})


@dataclass(frozen=True, slots=True)
class DarajaClient:
    """
    One account's line to Daraja.

    ``post``, and ``get`` for the one service that may want a GET with a body, return the object that came with a 2xx
    status, or raise ProviderDeclined, ProviderUnavailable (nothing was carried out) or ProviderUncertain. They repeat
    a request once, when the token was refused: that happens before any processing.
    """

    base_url: str
    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    transport: Transport = field(repr=False)
    tokens: TokenStore = field(repr=False)

    def post(self, kind: str, path: str, body: Mapping[str, str]) -> Mapping[str, object]:
        return self._ask("POST", kind, path, body)

    def get(self, kind: str, path: str, body: Mapping[str, str]) -> Mapping[str, object]:
        return self._ask("GET", kind, path, body)

    def sign_in(self) -> None:
        """Fetch a token that is kept nowhere, with the secrets as they are now."""
        self._fetch_token()

    def _ask(self, method: str, kind: str, path: str, body: Mapping[str, str]) -> Mapping[str, object]:
        content = json.dumps(body).encode()
        token = self.tokens.get(self._fetch_token)
        try:
            return self._send(method, kind, path, content, token)
        except ProviderUnavailable as refusal:
            if refusal.code != codes.TOKEN_REFUSED:
                raise
        self.tokens.forget(token)
        return self._send(method, kind, path, content, self.tokens.get(self._fetch_token))

    def _send(self, method: str, kind: str, path: str, content: bytes, token: str) -> Mapping[str, object]:
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        try:
            answer = self.transport.send(
                kind=kind, method=method, url=self.base_url + path, headers=headers, content=content
            )
        except http.NotSent as error:
            raise ProviderUnavailable("network_unreachable", str(error), provider_code=error.kind) from error
        except http.NoAnswer as error:
            raise ProviderUncertain(codes.OUTCOME_UNKNOWN, str(error), provider_code=error.kind) from error
        return _read(answer)

    def _fetch_token(self) -> Token:
        """Fetch a token. No money is asked for here, so every failure is safe to repeat, save refused credentials."""
        basic = base64.b64encode(f"{self.consumer_key}:{self.consumer_secret}".encode()).decode()
        query = urlencode({"grant_type": "client_credentials"})
        try:
            answer = self.transport.send(
                kind="oauth",
                method="GET",
                url=f"{self.base_url}{TOKEN_PATH}?{query}",
                headers={"Authorization": f"Basic {basic}", "Accept": "application/json"},
                content=b"",
            )
        except (http.NotSent, http.NoAnswer) as error:
            raise ProviderUnavailable("network_unreachable", str(error), provider_code=error.kind) from error
        if answer.status in CREDENTIALS_REFUSED:
            raise ProviderDeclined(
                "invalid_credentials", codes.message("invalid_credentials"), provider_code=str(answer.status)
            )
        body = _object(answer.body) or {}
        value = body.get("access_token")
        if answer.status not in ACCEPTED or not isinstance(value, str) or not value:
            raise ProviderUnavailable(
                "provider_unavailable", "no access token", provider_code=str(answer.status)
            )
        return Token(value, _seconds(body.get("expires_in")))


def is_well(answer: http.Answer) -> bool:
    """Say whether an answer shows that Daraja is working: it was read, and its outcome or its refusal is known."""
    if answer.status in codes.CLIENT_ERRORS:
        return True
    try:
        _read(answer)
    except ProviderUncertain as error:
        return error.code == codes.PENDING
    except (ProviderDeclined, ProviderUnavailable):
        return True
    return True


def _read(answer: http.Answer) -> Mapping[str, object]:
    """Return the object of an accepted request, or raise what the answer stands for."""
    body = _object(answer.body)
    if answer.status in ACCEPTED and body is not None and "errorCode" not in body and "fault" not in body:
        return body
    error_code = _text(body, "errorCode")
    error_message = _text(body, "errorMessage")
    fault = body.get("fault") if body else None
    found = codes.refusal(
        http_status=answer.status,
        error_code=error_code,
        error_message=error_message,
        fault=values.text(fault.get("faultstring")) if isinstance(fault, Mapping) else "",
    )
    raise found.error(
        found.code,
        error_message or codes.message(found.code) or f"HTTP {answer.status} without a usable body",
        provider_code=error_code or f"http:{answer.status}",
    )


def _object(body: bytes) -> Mapping[str, object] | None:
    """Return the JSON object of a body; None for HTML, nothing, half an object or another kind of value."""
    try:
        parsed = http.parse_json(body)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, Mapping) else None


def _text(body: Mapping[str, object] | None, name: str) -> str:
    return values.text(body.get(name)).strip() if body else ""


def _seconds(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        return TOKEN_LIFE_DEFAULT
