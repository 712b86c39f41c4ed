"""C2B of the Daraja face: addresses for payments that come unasked, and payments made up in the sandbox."""

from apps.simulator.api import fields
from apps.simulator.api.calls import Call, ok
from apps.simulator.api.fields import DarajaRefusal
from apps.simulator.contracts import AccountType, Environment, PaymentOrder, Registration, Response
from apps.simulator.services import faults, identifiers, payments, registrations

LONGEST_REFERENCE = 20
DEFAULTS = ("Completed", "Cancelled")


def register_urls(call: Call) -> Response:
    """Keep where a shortcode is asked and told; in production once."""
    consumer = call.consumer()
    body = call.body
    registration = Registration(
        shortcode=fields.shortcode(body, "ShortCode", longest=7),
        is_refused_by_default=fields.one_of(body, "ResponseType", choices=DEFAULTS) == "Cancelled",
        confirmation_url=fields.url(body, "ConfirmationURL"),
        validation_url=fields.url(body, "ValidationURL"),
    )
    account = call.account(registration.shortcode, consumer=consumer)
    try:
        registrations.register(tx=call.tx, account=account, registration=registration)
    except registrations.AlreadyRegistered as refusal:
        raise DarajaRefusal("500.003.1001", "Urls are already registered") from refusal
    return _accepted(call, "Success")


def simulate(call: Call) -> Response:
    """Let a phone pay unasked; there is no such call in production."""
    consumer = call.consumer()
    body = call.body
    shortcode = fields.shortcode(body, "ShortCode", longest=7)
    command = fields.one_of(body, "CommandID", choices=fields.TRANSACTION_TYPES)
    amount_cents = fields.whole_shillings(body)
    payer = fields.msisdn(body, "Msisdn")
    account = call.account(shortcode, consumer=consumer)
    if account.environment is Environment.PRODUCTION:
        raise DarajaRefusal("404.001.01", "Resource not found")
    is_till = account.type is AccountType.TILL
    if is_till != (command == "CustomerBuyGoodsOnline"):
        raise fields.invalid("CommandID")
    reference = fields.words(body, "BillRefNumber", longest=LONGEST_REFERENCE, is_optional=is_till)
    plan = call.take_magic(faults.magic_actions(msisdn=payer)).plan
    if not call.faults.answer.is_processed:
        return Response()
    order = PaymentOrder(receiver=shortcode, payer=payer, amount_cents=amount_cents, reference=reference)
    payment = payments.open_payment(tx=call.tx, order=order, plan=plan, now=call.now)
    if plan.callback.is_first:
        call.settle_first(payment.receipt)
    return _accepted(call, "Accept the service request successfully.")


def _accepted(call: Call, description: str) -> Response:
    return ok(
        {
            "OriginatorCoversationID": identifiers.request(tx=call.tx),
            "ResponseCode": "0",
            "ResponseDescription": description,
        }
    )
