"""One call of the Daraja face: who calls, the faults that apply, and what the caller gets to see."""

import base64
import hmac
import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from apps.simulator.api import fields
from apps.simulator.api.fields import DarajaRefusal
from apps.simulator.contracts import Account, Answer, AnswerKind, Callback, Faults, Request, Response
from apps.simulator.services import accounts, callbacks, due, faults, identifiers

Endpoints = Mapping[str, tuple[str, Callable[["Call"], Response]]]


class Call:
    """One call with the faults that apply to it."""

    def __init__(
        self,
        *,
        tx: sqlite3.Connection,
        request: Request,
        body: Mapping[str, object],
        actions: list[object],
        now: int,
        endpoints: Endpoints,
    ) -> None:
        self.tx = tx
        self.endpoints = endpoints
        self.request = request
        self.body = body
        self.actions = actions
        self.faults = faults.compose(actions=actions)
        self.now = now
        self.owed_first: list[Callback] = []

    def answer(self) -> Response:
        """Carry the call out unless a script forbids it, and return what the caller is shown."""
        response = Response()
        if self.faults.answer.is_processed:
            try:
                response = self._endpoint()(self)
            except DarajaRefusal as refusal:
                response = self._refusal(refusal)
        return shown(answer=self.faults.answer, response=response)

    def _endpoint(self) -> Callable[["Call"], Response]:
        method, endpoint = self.endpoints.get(self.request.path, ("", None))
        if endpoint is None:
            raise DarajaRefusal("404.001.01", "Resource not found")
        if self.request.method != method:
            raise DarajaRefusal("405.001", "Method Not Allowed")
        return endpoint

    def _refusal(self, refusal: DarajaRefusal) -> Response:
        envelope = {
            "requestId": identifiers.request(tx=self.tx),
            "errorCode": refusal.code,
            "errorMessage": refusal.message,
        }
        return Response(status=int(refusal.code.split(".")[0]), body=json.dumps(envelope).encode())

    def consumer(self) -> str:
        """Return the consumer key behind the bearer token."""
        scheme, _, token = self.request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise DarajaRefusal("404.001.04", "Invalid Authentication Header")
        if self.faults.answer.is_token_expired:
            accounts.revoke_token(tx=self.tx, token=token)
        try:
            return accounts.consumer_of(tx=self.tx, token=token, now=self.now)
        except accounts.InvalidToken as refusal:
            raise DarajaRefusal("404.001.03", "Invalid Access Token") from refusal

    def account(self, shortcode: str, *, consumer: str) -> Account:
        """Return the account of this consumer with the shortcode."""
        try:
            account = accounts.get(tx=self.tx, shortcode=shortcode)
        except accounts.UnknownShortcode as refusal:
            raise DarajaRefusal("500.001.1001", "Merchant does not exist") from refusal
        if account.consumer_key != consumer:
            raise DarajaRefusal("500.001.1001", "Merchant does not exist")
        return account

    def check_password(self, account: Account) -> None:
        """Compare Password with base64(shortcode + passkey + Timestamp)."""
        stamp = fields.timestamp(self.body)
        given = fields.words(self.body, "Password", longest=1_000)
        right = base64.b64encode(f"{account.shortcode}{account.passkey}{stamp}".encode())
        if not hmac.compare_digest(given.encode(), right):
            raise DarajaRefusal("500.001.1001", "Wrong credentials")

    def take_magic(self, magic: Sequence[object]) -> Faults:
        """Put what a magic phone number asks for under the actions of the script."""
        self.faults = faults.compose(actions=[*magic, *self.actions])
        return self.faults

    def settle_first(self, cause: str) -> None:
        """Decide what is due and claim its callback, which is sent before the answer is given."""
        due.decide(tx=self.tx, now=self.now)
        self.owed_first = callbacks.claim_due(tx=self.tx, now=self.now, cause=cause)


def shown(*, answer: Answer, response: Response) -> Response:
    """Return what the caller sees of a response once the faults have had it."""
    if answer.kind is AnswerKind.SCRIPTED:
        return Response(
            status=answer.status,
            body=answer.body.encode(errors="replace"),
            content_type=answer.content_type,
            kind=answer.kind,
            delay_ms=answer.delay_ms,
        )
    body = response.body
    if answer.kind is AnswerKind.MALFORMED:
        body = (body or b'{"ResponseCode":"0"')[:-1] + b","
    return replace(response, body=body, kind=answer.kind, delay_ms=answer.delay_ms)


def ok(content: Mapping[str, object]) -> Response:
    """Answer with JSON."""
    return Response(body=json.dumps(content).encode())
