"""Daraja's own HTTP: OAuth, STK push, STK query and transaction status, as Safaricom documents them."""

import base64
import binascii
import hmac
import json
import sqlite3
from collections.abc import Callable, Mapping

from apps.simulator.api import fields
from apps.simulator.api.fields import DarajaRefusal
from apps.simulator.contracts import (
    Account,
    Answer,
    AnswerKind,
    Callback,
    Faults,
    PromptOrder,
    PromptState,
    Request,
    Response,
)
from apps.simulator.services import (
    accounts,
    call_log,
    callbacks,
    faults,
    identifiers,
    inquiries,
    prompts,
    scripts,
)
from apps.simulator.services.world import World

ACCEPTED = "Success. Request accepted for processing"


def handle(*, world: World, request: Request) -> Response:
    """Answer one call of the Daraja face; `request.path` starts after the base path."""
    body = _json_object(request.body)
    with world.store.transaction() as tx:
        now = world.clock.now()
        script_id, actions = scripts.claim(tx=tx, path=request.path, method=request.method, body=body)
        call = _Call(tx=tx, request=request, body=body, actions=actions, now=now)
        response = call.answer()
        entry = {
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "headers": call_log.redacted(values=request.headers),
            "body": call_log.readable(body=request.body),
            "script": script_id,
            "status": response.status if response.kind in {AnswerKind.NORMAL, AnswerKind.SCRIPTED} else None,
            "answer": response.kind,
            "response": call_log.readable(body=response.body),
        }
        call_log.record(tx=tx, kind="call", entry=entry, now=now)
    world.has_changed.set()
    for callback in call.owed_first:
        world.deliver(callback)
    return response


class _Call:
    """One call with the faults that apply to it."""

    def __init__(
        self,
        *,
        tx: sqlite3.Connection,
        request: Request,
        body: Mapping[str, object],
        actions: list[object],
        now: int,
    ) -> None:
        self.tx = tx
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
                response = self._route()(self)
            except DarajaRefusal as refusal:
                response = self._refusal(refusal)
        return shown(answer=self.faults.answer, response=response)

    def _route(self) -> Callable[["_Call"], Response]:
        method, endpoint = ENDPOINTS.get(self.request.path, ("", None))
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

    def take_magic(self, msisdn: str) -> Faults:
        """Put what a magic phone number asks for under the actions of the script."""
        self.faults = faults.compose(actions=[*faults.magic_actions(msisdn=msisdn), *self.actions])
        return self.faults


def oauth(call: _Call) -> Response:
    """Give out an access token for a consumer key and secret."""
    if call.request.query.get("grant_type") != "client_credentials":
        raise DarajaRefusal("400.008.02", "Invalid grant type passed")
    scheme, _, encoded = call.request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise DarajaRefusal("400.008.01", "Invalid Authentication passed")
    try:
        key, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        token = accounts.issue_token(tx=call.tx, consumer_key=key, consumer_secret=secret, now=call.now)
    except (binascii.Error, UnicodeDecodeError, accounts.WrongKeyPair):
        return Response(status=400, content_type="text/plain")
    return _ok({"access_token": token, "expires_in": str(accounts.TOKEN_LIFE_SECONDS)})


def stk_push(call: _Call) -> Response:
    """Put a prompt on a phone."""
    consumer = call.consumer()
    body = call.body
    order = PromptOrder(
        shortcode=fields.shortcode(body, "BusinessShortCode"),
        transaction_type=fields.one_of(body, "TransactionType", choices=fields.TRANSACTION_TYPES),
        amount_cents=fields.whole_shillings(body),
        payer=fields.msisdn(body, "PartyA"),
        receiver=fields.shortcode(body, "PartyB", longest=7),
        msisdn=fields.msisdn(body, "PhoneNumber"),
        callback_url=fields.url(body, "CallBackURL"),
        reference=fields.words(body, "AccountReference", longest=12),
        description=fields.words(body, "TransactionDesc", longest=13, is_optional=True),
    )
    fields.timestamp(body)
    call.check_password(call.account(order.shortcode, consumer=consumer))
    plan = call.take_magic(order.msisdn).plan
    if not call.faults.answer.is_processed:
        return Response()
    prompt = prompts.open_prompt(tx=call.tx, order=order, plan=plan, now=call.now)
    if plan.is_callback_first:
        prompts.settle_due(tx=call.tx, now=call.now)
        call.owed_first = callbacks.claim_due(tx=call.tx, now=call.now, prompt_id=prompt.id)
    return _ok(
        {
            "MerchantRequestID": prompt.merchant_request_id,
            "CheckoutRequestID": prompt.id,
            "ResponseCode": "0",
            "ResponseDescription": ACCEPTED,
            "CustomerMessage": ACCEPTED,
        }
    )


def stk_query(call: _Call) -> Response:
    """Tell the outcome of a prompt, without amount and receipt; before that it is an error of its own."""
    consumer = call.consumer()
    shortcode = fields.shortcode(call.body, "BusinessShortCode", longest=7)
    checkout = fields.words(call.body, "CheckoutRequestID", longest=100)
    call.check_password(call.account(shortcode, consumer=consumer))
    try:
        prompt = prompts.get(tx=call.tx, prompt_id=checkout)
    except prompts.UnknownPrompt as refusal:
        raise fields.invalid("CheckoutRequestID") from refusal
    if prompt.shortcode != shortcode:
        raise fields.invalid("CheckoutRequestID")
    if prompt.state is PromptState.WAITING:
        raise DarajaRefusal("500.001.1001", "The transaction is being processed")
    return _ok(
        {
            "ResponseCode": "0",
            "ResponseDescription": "The service request has been accepted successfully",
            "MerchantRequestID": prompt.merchant_request_id,
            "CheckoutRequestID": prompt.id,
            "ResultCode": prompt.result_code,
            "ResultDesc": prompt.result_desc,
        }
    )


def transaction_status(call: _Call) -> Response:
    """Accept a question about a transaction; the answer comes to ResultURL."""
    consumer = call.consumer()
    body = call.body
    question = {
        "initiator": fields.words(body, "Initiator", longest=100),
        "credential": fields.words(body, "SecurityCredential", longest=2_000),
        "receipt": fields.words(body, "TransactionID", longest=20, is_optional=True),
        "conversation": fields.words(body, "OriginalConversationID", longest=100, is_optional=True),
    }
    fields.one_of(body, "CommandID", choices=("TransactionStatusQuery",))
    if not question["receipt"] and not question["conversation"]:
        raise fields.invalid("TransactionID")
    shortcode = fields.shortcode(body, "PartyA", longest=7)
    result_url = fields.url(body, "ResultURL")
    fields.url(body, "QueueTimeOutURL")
    fields.words(body, "Remarks", longest=100)
    fields.words(body, "Occasion", longest=100, is_optional=True)
    account = call.account(shortcode, consumer=consumer)
    fields.one_of(body, "IdentifierType", choices=("4",) if account.type == "paybill" else ("2", "4"))
    originator, conversation = inquiries.ask(
        tx=call.tx,
        account=account,
        question=question,
        result_url=result_url,
        plan=call.faults.plan,
        now=call.now,
    )
    return _ok(
        {
            "OriginatorConversationID": originator,
            "ConversationID": conversation,
            "ResponseCode": "0",
            "ResponseDescription": "Accept the service request successfully.",
        }
    )


ENDPOINTS: dict[str, tuple[str, Callable[[_Call], Response]]] = {
    "/oauth/v1/generate": ("GET", oauth),
    "/mpesa/stkpush/v1/processrequest": ("POST", stk_push),
    "/mpesa/stkpushquery/v1/query": ("POST", stk_query),
    "/mpesa/transactionstatus/v1/query": ("POST", transaction_status),
}


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
    return Response(response.status, body, response.content_type, kind=answer.kind, delay_ms=answer.delay_ms)


def _ok(content: Mapping[str, object]) -> Response:
    return Response(body=json.dumps(content).encode())


def _json_object(body: bytes) -> dict[str, object]:
    try:
        content = json.loads(body)
    except ValueError:
        return {}  # Safaricom then finds the first field missing: "Invalid BusinessShortCode"
    return content if isinstance(content, dict) else {}
