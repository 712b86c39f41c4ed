"""People on the control interface: what they pay unasked, and what a business answers before."""

import re

from apps.simulator.api import shapes
from apps.simulator.api.control_json import ControlRefusal, content, shown
from apps.simulator.contracts import PaymentOrder, Request, Response
from apps.simulator.services import amounts, callbacks, payments
from apps.simulator.services.world import World

HTTP_OK = 200
FIELDS = {"msisdn", "shortcode", "amount", "reference", "pin"}
PINS = ("right", "wrong")
LONGEST_REFERENCE = 20
PATTERNS = {"msisdn": "254[17][0-9]{8}", "shortcode": "[0-9]{5,7}"}


def list_payments(world: World, request: Request) -> Response:
    """Return the latest payments that came unasked, newest first, of one phone where `msisdn` is given."""
    with world.store.transaction() as tx:
        found = payments.newest(tx=tx, msisdn=request.query.get("msisdn"))
    return shown({"payments": [shapes.payment(payment) for payment in found]})


def pay(world: World, request: Request) -> Response:
    """Let a person pay unasked; what becomes of it stands in the answer or, where the business is asked first, later."""
    given = content(request)
    reference, pin = given.get("reference", ""), given.get("pin", "right")
    if set(given) - FIELDS:
        raise ControlRefusal(400, "invalid_request", f"A payment has {', '.join(sorted(FIELDS))}.")
    for name, pattern in PATTERNS.items():
        if not isinstance(given.get(name), str) or not re.fullmatch(pattern, str(given[name])):
            raise ControlRefusal(400, "invalid_request", f"{name} is a text as {pattern}.")
    if not isinstance(reference, str) or not reference.isprintable() or len(reference) > LONGEST_REFERENCE:
        raise ControlRefusal(
            400, "invalid_request", "reference is a printable text of at most 20 characters."
        )
    if pin not in PINS:
        raise ControlRefusal(400, "invalid_request", "pin is right or wrong.")
    try:
        amount_cents = amounts.cents(value=given.get("amount"))
    except amounts.AmountRefused as refusal:
        raise ControlRefusal(400, "invalid_request", f"amount: {refusal}") from refusal
    order = PaymentOrder(str(given["shortcode"]), str(given["msisdn"]), amount_cents, reference)
    with world.store.transaction() as tx:
        made = payments.pay(tx=tx, order=order, is_pin_right=pin == "right", now=world.clock.now())
    world.has_changed.set()
    return shown(shapes.payment(made), status=201)


def answer_validation(world: World, request: Request, number: str) -> Response:
    """Take the answer to a validation that was handed out; without a status there was none."""
    given = content(request)
    status, body = given.get("status"), given.get("body", "")
    if (status is not None and type(status) is not int) or not isinstance(body, str):
        raise ControlRefusal(400, "invalid_request", "status is a whole number or null, body a text.")
    try:
        with world.store.transaction() as tx:
            callback = callbacks.answer_taken(tx=tx, number=int(number), status=status)
    except callbacks.NotTaken as refusal:
        raise ControlRefusal(409, "not_waiting", "No validation waits for this answer.") from refusal
    world.hear(receipt=callback.cause, answer=body.encode() if status == HTTP_OK else None)
    return shown({"status": "ok"})
