"""OAuth, STK push and STK query of the Daraja face."""

import base64
import binascii

from apps.simulator.api import fields
from apps.simulator.api.calls import Call, ok
from apps.simulator.api.fields import DarajaRefusal
from apps.simulator.contracts import PaymentState, PromptOrder, Response
from apps.simulator.services import accounts, faults, prompts

ACCEPTED = "Success. Request accepted for processing"


def oauth(call: Call) -> Response:
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
    return ok({"access_token": token, "expires_in": str(accounts.TOKEN_LIFE_SECONDS)})


def stk_push(call: Call) -> Response:
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
    plan = call.take_magic(faults.magic_actions(msisdn=order.msisdn)).plan
    if not call.faults.answer.is_processed:
        return Response()
    prompt = prompts.open_prompt(tx=call.tx, order=order, plan=plan, now=call.now)
    if plan.callback.is_first:
        call.settle_first(prompt.id)
    return ok(
        {
            "MerchantRequestID": prompt.merchant_request_id,
            "CheckoutRequestID": prompt.id,
            "ResponseCode": "0",
            "ResponseDescription": ACCEPTED,
            "CustomerMessage": ACCEPTED,
        }
    )


def stk_query(call: Call) -> Response:
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
    if prompt.state is PaymentState.WAITING:
        raise DarajaRefusal("500.001.1001", "The transaction is being processed")
    return ok(
        {
            "ResponseCode": "0",
            "ResponseDescription": "The service request has been accepted successfully",
            "MerchantRequestID": prompt.merchant_request_id,
            "CheckoutRequestID": prompt.id,
            "ResultCode": prompt.result_code,
            "ResultDesc": prompt.result_desc,
        }
    )
