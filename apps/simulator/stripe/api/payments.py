"""Endpoints of payment intents, setup intents, charges and refunds."""

from typing import TYPE_CHECKING

from apps.simulator.stripe.api.listing import PAGING, page
from apps.simulator.stripe.contracts import Body, StripeRefusal
from apps.simulator.stripe.services import currencies, intents, methods, objects, refunds, setups

if TYPE_CHECKING:
    from apps.simulator.stripe.api.calls import Call

TEXTS = ("description", "on_behalf_of", "receipt_email", "statement_descriptor_suffix", "transfer_group")
CONFIRMING = (
    "automatic_payment_methods",
    "confirm",
    "error_on_requires_action",
    "expand",
    "off_session",
    "payment_method",
    "payment_method_types",
    "return_url",
)
KNOWN = (
    *TEXTS,
    *CONFIRMING,
    "amount",
    "application_fee_amount",
    "capture_method",
    "currency",
    "customer",
    "metadata",
    "setup_future_usage",
    "transfer_data",
)
REASONS = ("duplicate", "fraudulent", "requested_by_customer")
CANCELLED_BECAUSE = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")


def create(call: "Call") -> Body:
    """Open a payment intent, and confirm it where the call says so."""
    params = call.params
    params.only(*KNOWN)
    amount, currency = params.whole("amount", is_required=True) or 0, params.currency()
    currencies.check(amount, currency)
    transfer = params.inner("transfer_data")
    transfer.only("amount", "destination")
    must_confirm = params.flag("confirm")
    if params.flag("off_session") and not must_confirm:
        raise params.wrong("off_session", "You can only pass `off_session` when `confirm` is true.", None)
    customer = _customer(call)
    texts: Body = {name: params.text(name) for name in TEXTS}
    method = _method(call, customer) if "payment_method" in params.values else None
    intent = intents.add(
        call.scope,
        amount=amount,
        currency=currency,
        customer=customer,
        application_fee_amount=params.whole("application_fee_amount"),
        automatic_payment_methods={"enabled": True}
        if params.inner("automatic_payment_methods").values
        else None,
        capture_method=params.choice("capture_method", "automatic", "automatic_async", "manual"),
        metadata=params.metadata(),
        setup_future_usage=params.choice("setup_future_usage", "off_session", "on_session"),
        transfer_data=transfer.values or None,
        **texts,
    )
    if method is not None:
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
        objects.save(call.scope, intent)
    return _confirm(call, intent) if must_confirm else intent


def retrieve(call: "Call", identifier: str) -> Body:
    """Return a payment intent."""
    return objects.get(call.scope, "payment_intent", identifier)


def update(call: "Call", identifier: str) -> Body:
    """Change the notes of a payment intent."""
    call.params.only("description", "metadata", "receipt_email", "expand")
    intent = objects.get(call.scope, "payment_intent", identifier)
    given = {name: call.params.text(name) for name in ("description", "receipt_email")}
    intent |= {name: value for name, value in given.items() if value is not None}
    intent["metadata"] |= call.params.metadata()
    return objects.save(call.scope, intent)


def list_all(call: "Call") -> Body:
    """List payment intents."""
    call.params.only(*PAGING, "customer")
    found = objects.newest(call.scope, "payment_intent", customer=call.params.text("customer"))
    return page(found, call.params, url="/v1/payment_intents")


def confirm(call: "Call", identifier: str) -> Body:
    """Charge the card of an intent."""
    call.params.only(*CONFIRMING)
    return _confirm(call, objects.get(call.scope, "payment_intent", identifier))


def capture(call: "Call", identifier: str) -> Body:
    """Take what was held back."""
    call.params.only("amount_to_capture", "metadata", "expand")
    intent = objects.get(call.scope, "payment_intent", identifier)
    intent["metadata"] |= call.params.metadata()
    scope = call.scope.under(objects.plan_of(call.scope, identifier))
    return intents.capture(scope, intent, amount=call.params.whole("amount_to_capture"))


def cancel(call: "Call", identifier: str) -> Body:
    """End an intent; that of an open session ends with its session."""
    call.params.only("cancellation_reason", "expand")
    reason = call.params.choice("cancellation_reason", *CANCELLED_BECAUSE)
    intent = objects.get(call.scope, "payment_intent", identifier)
    session = objects.private(call.scope, identifier)["session"]
    if session and objects.get(call.scope, "checkout.session", session)["status"] == "open":
        raise StripeRefusal(
            400,
            "You cannot cancel PaymentIntents created by a Checkout Session while it is open. Expire the Session instead.",
            code=intents.STATE,
            payment_intent=intent,
        )
    return intents.cancel(call.scope.under(objects.plan_of(call.scope, identifier)), intent, reason=reason)


def retrieve_charge(call: "Call", identifier: str) -> Body:
    """Return a charge."""
    return objects.get(call.scope, "charge", identifier)


def list_charges(call: "Call") -> Body:
    """List charges."""
    call.params.only(*PAGING, "customer", "payment_intent")
    wanted = {name: call.params.text(name) for name in ("customer", "payment_intent")}
    return page(objects.newest(call.scope, "charge", **wanted), call.params, url="/v1/charges")


def create_refund(call: "Call") -> Body:
    """Give a charge back, or a part of it."""
    params = call.params
    params.only("amount", "charge", "expand", "metadata", "payment_intent", "reason")
    reason, amount = params.choice("reason", *REASONS), params.whole("amount")
    if amount == 0:
        raise params.wrong("amount", "Invalid positive integer", "parameter_invalid_integer")
    if "payment_intent" in params.values:
        intent = objects.get(
            call.scope,
            "payment_intent",
            params.required("payment_intent"),
            param="payment_intent",
            status=404,
        )
        if not intent["amount_received"]:
            raise StripeRefusal(
                400, f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
            )
        charge = objects.get(call.scope, "charge", intent["latest_charge"])
    else:
        charge = objects.get(call.scope, "charge", params.required("charge"), param="charge")
    return refunds.add(call.scope, charge, amount=amount, reason=reason, metadata=params.metadata())


def retrieve_refund(call: "Call", identifier: str) -> Body:
    """Return a refund."""
    return objects.get(call.scope, "refund", identifier)


def list_refunds(call: "Call") -> Body:
    """List refunds."""
    call.params.only(*PAGING, "charge", "payment_intent")
    wanted = {name: call.params.text(name) for name in ("charge", "payment_intent")}
    return page(objects.newest(call.scope, "refund", **wanted), call.params, url="/v1/refunds")


def create_setup(call: "Call") -> Body:
    """Open a setup intent, and confirm it where the call says so."""
    params = call.params
    params.only(*CONFIRMING, "customer", "description", "metadata", "usage")
    must_confirm = params.flag("confirm")
    intent = setups.add(
        call.scope,
        customer=_customer(call),
        description=params.text("description"),
        metadata=params.metadata(),
        usage=params.choice("usage", "off_session", "on_session"),
    )
    return _confirm_setup(call, intent) if must_confirm else intent


def retrieve_setup(call: "Call", identifier: str) -> Body:
    """Return a setup intent."""
    return objects.get(call.scope, "setup_intent", identifier)


def list_setups(call: "Call") -> Body:
    """List setup intents."""
    call.params.only(*PAGING, "customer", "payment_method")
    wanted = {name: call.params.text(name) for name in ("customer", "payment_method")}
    return page(objects.newest(call.scope, "setup_intent", **wanted), call.params, url="/v1/setup_intents")


def confirm_setup(call: "Call", identifier: str) -> Body:
    """Keep the card of a setup intent."""
    call.params.only(*CONFIRMING)
    return _confirm_setup(call, objects.get(call.scope, "setup_intent", identifier))


def cancel_setup(call: "Call", identifier: str) -> Body:
    """End a setup intent."""
    call.params.only("cancellation_reason", "expand")
    reason = call.params.choice("cancellation_reason", "abandoned", "duplicate", "requested_by_customer")
    return setups.cancel(call.scope, objects.get(call.scope, "setup_intent", identifier), reason=reason)


def _confirm(call: "Call", intent: Body) -> Body:
    method = _method(call, intent["customer"], held=intent["payment_method"])
    return intents.confirm(
        call.scope.under(objects.plan_of(call.scope, intent["id"])),
        intent,
        method,
        is_off_session=call.params.flag("off_session") or call.params.flag("error_on_requires_action"),
        return_url=call.params.address("return_url") or "",
    )


def _confirm_setup(call: "Call", intent: Body) -> Body:
    method = _method(call, intent["customer"], held=intent["payment_method"])
    return setups.confirm(call.scope, intent, method, return_url=call.params.address("return_url") or "")


def _method(call: "Call", customer: str | None, *, held: str | None = None) -> Body:
    """Return the payment method that the call names, or that was named before; it is nobody's, or the customer's."""
    given = call.params.text("payment_method") or held
    if given is None:
        raise call.params.missing("payment_method")
    method = methods.resolve(call.scope, given)
    if method["customer"] is not None and method["customer"] != customer:
        raise StripeRefusal(
            400,
            f"The payment method {given} belongs to a customer. Please include the customer in the `customer` parameter "
            "on the request.",
            param="customer",
        )
    return method


def _customer(call: "Call") -> str | None:
    given = call.params.text("customer")
    if given is None:
        return None
    return str(objects.get(call.scope, "customer", given, param="customer", status=400)["id"])
