"""One call of the Stripe face: who calls, whether it was made before, the faults that apply, and what the caller sees."""

import base64
import binascii
import hashlib
import json
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from apps.simulator.api.calls import shown
from apps.simulator.contracts import Answer, AnswerKind, Callback, Request, Response
from apps.simulator.services import callbacks, due, faults
from apps.simulator.stripe.api import expanding, forms
from apps.simulator.stripe.api.fields import Params
from apps.simulator.stripe.contracts import Account, Body, Scope, StripeRefusal
from apps.simulator.stripe.services import accounts, answers, ids

View = Callable[..., Body]
Routes = Sequence[tuple[str, str, View]]

FAILED = 500
DECLINED = 402
CARRIED_OUT = frozenset({"balance_insufficient", "insufficient_capabilities_for_transfer"})
"""Refusals of a request that was sound: they are the answer to its key, as a decline is."""
OWN_ERROR = {
    "type": "api_error",
    "message": "Sorry! There was an error while talking to one of our backends. Support has been notified.",
}
TOO_MANY = {
    "type": "invalid_request_error",
    "code": "rate_limit",
    "message": "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
}
WORDING = {
    faults.INTERNAL_ERROR: (None, OWN_ERROR),
    faults.SPIKE_ARREST: (429, TOO_MANY),
    faults.TOO_MANY: (429, TOO_MANY),
}
"""What Stripe says where a script leaves the words to the face: the status, if it is another, and the error."""


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
        self.pairs = forms.pairs(request)
        self.params = Params(forms.nested(self.pairs))
        self.key = request.headers.get("idempotency-key", "") if request.method == "POST" else ""
        self.id = ids.draw(tx=tx, kind="request")
        self.now = now
        self.scope = Scope(tx=tx, account=Account("", "", ""), now=now)
        self.owed_first: list[Callback] = []

    def answer(self, actions: Sequence[object]) -> Response:
        """Carry the call out unless an action forbids it, and return what the caller is shown."""
        self.actions = actions
        self.faults = faults.compose(actions=actions)
        response = self._response()
        answer = _worded(self.faults.answer)
        seen = shown(answer=answer, response=response)
        if answer.is_kept and self.key and self.scope.account.id:
            self._keep(seen.status, seen.body.decode())
        return replace(seen, headers=(*seen.headers, ("Request-Id", self.id)))

    def plan(self, magic: Sequence[object]) -> None:
        """Put what a magic e-mail address asks for under the actions of the script; raise Lost where nothing is to happen."""
        self.faults = faults.compose(actions=[*magic, *self.actions])
        self.scope = replace(self.scope, plan=self.faults.plan)
        self._check_lost()

    def _response(self) -> Response:
        try:
            self._open()
            self._check_lost()
            view, groups = self._view()
            kept = self._kept()
            if kept is not None:
                return kept
            body = view(self, *groups)
            response = _json(200, expanding.expand(self.scope, body, self.params.texts("expand")))
            is_answer = True
        except Lost:
            return Response()
        except StripeRefusal as refusal:
            error = refusal.details | {"message": refusal.message, "request_log_url": None}
            response = _json(refusal.status, {"error": error})
            is_answer = refusal.status == DECLINED or error.get("code") in CARRIED_OUT
        if is_answer:
            self._keep(response.status, response.body.decode())
        self._settle_first()
        return response

    def _check_lost(self) -> None:
        if not self.faults.answer.is_processed:
            raise Lost

    def _open(self) -> None:
        """Find the account behind the key, and the connected one that the call is for."""
        account = accounts.of_key(tx=self.tx, secret_key=self._key_of())
        if account is None or self.faults.answer.is_token_expired:
            raise StripeRefusal(
                401,
                "Expired API Key provided." if account else "Invalid API Key provided.",
                **({"code": "api_key_expired"} if account else {}),
            )
        connected = self.request.headers.get("stripe-account", "")
        if connected and connected != account.id:
            account = self._connected(connected, account)
        self.scope = Scope(
            tx=self.tx,
            account=account,
            now=self.now,
            plan=self.faults.plan,
            origin=f"http://{self.request.headers.get('host', '127.0.0.1')}",
            request=self.id,
            key=self.key,
        )

    def _key_of(self) -> str:
        scheme, _, given = self.request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and given:
            return given
        if scheme.lower() == "basic":
            try:
                return base64.b64decode(given, validate=True).decode().partition(":")[0]
            except (binascii.Error, UnicodeDecodeError):
                return ""
        raise StripeRefusal(
            401,
            "You did not provide an API key. You need to provide your API key in the Authorization header.",
        )

    def _connected(self, identifier: str, platform: Account) -> Account:
        try:
            account = accounts.get(tx=self.tx, identifier=identifier)
        except accounts.UnknownAccount:
            account = None
        if account is None or account.platform != platform.id:
            raise StripeRefusal(
                403,
                f"The provided key does not have access to account '{identifier}' (or that account does not exist).",
                code="account_invalid",
            )
        return account

    def _view(self) -> tuple[View, tuple[str, ...]]:
        for method, pattern, view in self.routes:
            found = re.fullmatch(pattern, self.request.path)
            if found and method == self.request.method:
                return view, found.groups()
        raise StripeRefusal(
            404,
            f"Unrecognized request URL ({self.request.method}: {self.request.path}).",
            code="url_invalid",
        )

    def _kept(self) -> Response | None:
        """Return the answer that this key got before; refuse the key with another request."""
        if not self.key:
            return None
        kept = answers.find(self.scope, self.key)
        if kept is None:
            return None
        if kept.fingerprint != self._fingerprint():
            raise StripeRefusal(
                400,
                "Keys for idempotent requests can only be used with the same parameters they were first used with. Try "
                f"using a key other than '{self.key}' if you meant to execute a different request.",
                type="idempotency_error",
            )
        return Response(
            status=kept.status, body=kept.body.encode(), headers=(("Idempotent-Replayed", "true"),)
        )

    def _keep(self, status: int, body: str) -> None:
        if self.key:
            answers.keep(self.scope, self.key, fingerprint=self._fingerprint(), status=status, body=body)

    def _fingerprint(self) -> str:
        said = json.dumps([self.request.method, self.request.path, sorted(self.pairs)])
        return hashlib.sha256(said.encode()).hexdigest()

    def _settle_first(self) -> None:
        """Decide what is due and claim its events, which are sent before the answer is given."""
        if self.scope.plan.callback.is_first:
            due.decide(tx=self.tx, now=self.now)
            self.owed_first = callbacks.claim_first(tx=self.tx, now=self.now)


def _worded(answer: Answer) -> Answer:
    """Let Stripe speak where a script leaves the words to the face."""
    if answer.kind is not AnswerKind.SCRIPTED or answer.body not in WORDING:
        return answer
    status, error = WORDING[answer.body]
    return replace(answer, status=status or answer.status, body=json.dumps({"error": error}))


def _json(status: int, content: Mapping[str, Any]) -> Response:
    return Response(status=status, body=json.dumps(content).encode())
