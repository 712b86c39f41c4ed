"""One call of the PayPal face: who calls, whether it was made before, the faults that apply, and what the caller sees."""

import base64
import binascii
import hashlib
import hmac
import json
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

from apps.simulator.api.calls import shown
from apps.simulator.contracts import Answer, AnswerKind, Callback, Request, Response
from apps.simulator.paypal.api import fields
from apps.simulator.paypal.contracts import Account, Body, PayPalRefusal, Reply, Scope
from apps.simulator.paypal.services import accounts, answers, ids, objects, orders, outcomes
from apps.simulator.services import callbacks, due, faults

View = Callable[..., Reply]
Routes = Sequence[tuple[str, str, View]]

ENTRANCE = "/v1/oauth2/token"
FAILED = 500
SCOPES = "https://uri.paypal.com/services/payments/realtimepayment https://uri.paypal.com/services/disputes/read-seller"
LONGEST_KEY = 108
WHOLE_ANSWERS = re.compile("/v2/checkout/orders/[A-Z0-9]+/(capture|authorize)")
"""Calls that tell payments however little the caller prefers to be told."""
WORDING = {faults.INTERNAL_ERROR: 500, faults.SPIKE_ARREST: 429, faults.TOO_MANY: 429}
"""What PayPal says where a script leaves the words to the face."""


class Lost(Exception):
    """The call has no effect: a script has it die before."""


class Call:
    """One call with the faults that apply to it."""

    def __init__(self, *, tx: sqlite3.Connection, request: Request, now: int, routes: Routes) -> None:
        self.tx = tx
        self.request = request
        self.routes = routes
        self.actions: Sequence[object] = ()
        self.faults = faults.compose(actions=())
        self.fields = fields.Fields({})
        self.key = request.headers.get("paypal-request-id", "") if request.method == "POST" else ""
        self.debug_id = ids.debug(tx=tx)
        self.now = now
        self.scope = Scope(tx=tx, account=Account("", "", "", ""), now=now)
        self.owed_first: list[Callback] = []

    def answer(self, actions: Sequence[object]) -> Response:
        """Carry the call out unless an action forbids it, and return what the caller is shown."""
        self.actions = actions
        self.faults = faults.compose(actions=actions)
        response = self._response()
        seen = shown(answer=self._worded(self.faults.answer), response=response)
        return replace(seen, headers=(*seen.headers, ("PayPal-Debug-Id", self.debug_id)))

    def plan(self, magic: Sequence[object]) -> None:
        """Put what a magic e-mail address asks for under the actions of the script; raise Lost where nothing is to happen."""
        self.faults = faults.compose(actions=[*magic, *self.actions])
        self.scope = replace(self.scope, plan=self.faults.plan)
        self._check_lost()

    def under(self, identifier: str) -> Scope:
        """Return the scope under the plan of the object that the call is about, but for what that decides by itself."""
        return self.scope.under(orders.by_person(self.scope, identifier).plan)

    def _response(self) -> Response:
        try:
            self._check_lost()
            reply = self._token() if self.request.path == ENTRANCE else self._reply()
            response = _json(reply.status, reply.body)
        except Lost:
            return Response()
        except PayPalRefusal as refusal:
            response = _json(refusal.status, refusal.body(self.debug_id))
        self._settle_first()
        return response

    def _reply(self) -> Reply:
        refused = self._open()
        if refused is not None:
            return refused
        view, groups = self._view()
        if self._has_fields():
            self.fields = fields.read(self.request.body)
        self._check_mock()
        reply = self._kept() or self._first(view, groups)
        return self._preferred(reply)

    def _has_fields(self) -> bool:
        """Tell whether the body is an object: a patch is a list, and files come in parts."""
        kind = self.request.headers.get("content-type", "")
        return self.request.method != "PATCH" and not kind.startswith("multipart/")

    def _first(self, view: View, groups: tuple[str, ...]) -> Reply:
        reply = view(self, *groups)
        if self.key and reply.made:
            answers.keep(
                self.scope, self.request.path, self.key, fingerprint=self._fingerprint(), made=reply.made
            )
        return reply

    def _check_lost(self) -> None:
        if not self.faults.answer.is_processed:
            raise Lost

    def _check_mock(self) -> None:
        """Refuse a call whose header asks for it, as PayPal's sandbox does."""
        asked = self.request.headers.get("paypal-mock-response", "")
        if not asked:
            return
        try:
            codes = json.loads(asked)["mock_application_codes"]
        except (ValueError, KeyError, TypeError) as broken:
            raise PayPalRefusal(400, "INVALID_PARAMETER_SYNTAX", at="PayPal-Mock-Response") from broken
        raise outcomes.refusal(str(codes[0] if isinstance(codes, list) and codes else codes))

    def _token(self) -> Reply:
        """Answer with a token for the client id and the secret of an account."""
        form = parse_qs(self.request.body.decode(errors="replace"))
        account = self._client()
        if account is None:
            return _unauthorized("invalid_client", "Client Authentication failed")
        if self.request.method != "POST" or form.get("grant_type") != ["client_credentials"]:
            return Reply(
                400, {"error": "unsupported_grant_type", "error_description": "Grant Type is not supported"}
            )
        token = accounts.issue_token(tx=self.tx, account=account, now=self.now)
        return Reply(
            200,
            {
                "scope": SCOPES,
                "access_token": token,
                "token_type": "Bearer",
                "app_id": f"APP-{account.id}",
                "expires_in": accounts.TOKEN_SECONDS,
                "nonce": f"{objects.instant(self.now)}{self.debug_id}",
            },
        )

    def _client(self) -> Account | None:
        scheme, _, given = self.request.headers.get("authorization", "").partition(" ")
        try:
            client_id, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        account = accounts.of_client(tx=self.tx, client_id=client_id) if scheme.lower() == "basic" else None
        is_right = account is not None and hmac.compare_digest(
            secret.encode(), account.client_secret.encode()
        )
        return account if is_right else None

    def _open(self) -> Reply | None:
        """Find the account behind the token; return the refusal of a token in the words of PayPal's entrance."""
        scheme, _, token = self.request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise PayPalRefusal(401)
        if self.faults.answer.is_token_expired:
            accounts.revoke_token(tx=self.tx, token=token)
        account = accounts.of_token(tx=self.tx, token=token, now=self.now)
        if account is None:
            return _unauthorized("invalid_token", "The token passed in was not found in the system")
        origin = f"http://{self.request.headers.get('host', '127.0.0.1')}"
        self.scope = Scope(tx=self.tx, account=account, now=self.now, plan=self.faults.plan, origin=origin)
        return None

    def _view(self) -> tuple[View, tuple[str, ...]]:
        for method, pattern, view in self.routes:
            found = re.fullmatch(pattern, self.request.path)
            if found and method == self.request.method:
                return view, found.groups()
        raise PayPalRefusal(404)

    def _kept(self) -> Reply | None:
        """Return how the thing now stands that this key has made before, unless it is gone; refuse the key with another request."""
        if not self.key:
            return None
        if len(self.key) > LONGEST_KEY:
            raise PayPalRefusal(400, "INVALID_STRING_LENGTH", at="PayPal-Request-Id")
        kept = answers.find(self.scope, self.request.path, self.key)
        if kept is None:
            return None
        if kept.fingerprint != self._fingerprint():
            raise PayPalRefusal(
                422, "DUPLICATE_REQUEST_ID", "The PayPal-Request-Id was used for another request."
            )
        order = objects.find(self.scope, "order", kept.made)
        body = orders.present(self.scope, order) if order else objects.any_of(self.scope, kept.made)
        return None if body is None else Reply(200, body)

    def _preferred(self, reply: Reply) -> Reply:
        """Return no more than the caller wants to be told, which is little unless it says otherwise."""
        is_whole = "return=representation" in self.request.headers.get("prefer", "")
        is_short = self.request.method == "POST" and self.request.path.startswith("/v2/") and not is_whole
        if not is_short or reply.body is None or WHOLE_ANSWERS.fullmatch(self.request.path):
            return reply
        return replace(reply, body={name: reply.body[name] for name in ("id", "status", "links")})

    def _fingerprint(self) -> str:
        return hashlib.sha256(json.dumps(self.fields.values, sort_keys=True).encode()).hexdigest()

    def _settle_first(self) -> None:
        """Decide what is due and claim its events, which are sent before the answer is given."""
        if self.scope.plan.callback.is_first:
            due.decide(tx=self.tx, now=self.now)
            self.owed_first = callbacks.claim_first(tx=self.tx, now=self.now)

    def _worded(self, answer: Answer) -> Answer:
        """Let PayPal speak where a script leaves the words to the face."""
        if answer.kind is not AnswerKind.SCRIPTED or answer.body not in WORDING:
            return answer
        status = WORDING[answer.body]
        body = PayPalRefusal(status).body(self.debug_id)
        return replace(answer, status=answer.status if status == FAILED else status, body=json.dumps(body))


def _unauthorized(error: str, words: str) -> Reply:
    return Reply(401, {"error": error, "error_description": words})


def _json(status: int, content: Mapping[str, Any] | None) -> Response:
    body: Body | None = None if content is None else dict(content)
    return Response(status=status, body=b"" if body is None else json.dumps(body).encode())
