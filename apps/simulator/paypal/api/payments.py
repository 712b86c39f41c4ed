"""Endpoints of authorizations, captures and refunds."""

from typing import TYPE_CHECKING

from apps.simulator.paypal.contracts import Reply
from apps.simulator.paypal.services import authorizations, objects, outcomes, refunds

if TYPE_CHECKING:
    from apps.simulator.paypal.api.calls import Call

LONGEST_NOTE = 255


def retrieve_authorization(call: "Call", identifier: str) -> Reply:
    """Return an authorization."""
    return Reply(200, objects.get(call.scope, "authorization", identifier))


def capture_authorization(call: "Call", identifier: str) -> Reply:
    """Take what was held back, or a part of it."""
    held = objects.get(call.scope, "authorization", identifier)
    scope = call.under(objects.private(call.scope, identifier)["order"])
    made = authorizations.capture(
        scope,
        held,
        amount=call.fields.money("amount"),
        is_final=call.fields.flag("final_capture", default=False),
        outcome=outcomes.of_capture(scope, "balance"),
        invoice_id=call.fields.text("invoice_id"),
        custom_id=call.fields.text("custom_id"),
    )
    return Reply(201, made, made=made["id"])


def void(call: "Call", identifier: str) -> Reply:
    """Let go what is held back; nothing is told of it unless the caller prefers so."""
    held = objects.get(call.scope, "authorization", identifier)
    voided = authorizations.void(call.under(objects.private(call.scope, identifier)["order"]), held)
    is_whole = "return=representation" in call.request.headers.get("prefer", "")
    return Reply(200, voided, made=identifier) if is_whole else Reply(204, made=identifier)


def reauthorize(call: "Call", identifier: str) -> Reply:
    """Hold the money back anew."""
    held = objects.get(call.scope, "authorization", identifier)
    scope = call.under(objects.private(call.scope, identifier)["order"])
    renewed = authorizations.renew(scope, held, amount=call.fields.money("amount"))
    return Reply(201, renewed, made=renewed["id"])


def retrieve_capture(call: "Call", identifier: str) -> Reply:
    """Return a capture."""
    return Reply(200, objects.get(call.scope, "capture", identifier))


def refund(call: "Call", identifier: str) -> Reply:
    """Give a capture back, or a part of it."""
    capture = objects.get(call.scope, "capture", identifier)
    given = call.fields
    made = refunds.add(
        call.scope,
        capture,
        amount=given.money("amount"),
        note=given.text("note_to_payer", longest=LONGEST_NOTE),
        invoice_id=given.text("invoice_id"),
        custom_id=given.text("custom_id"),
    )
    return Reply(201, made, made=made["id"])


def retrieve_refund(call: "Call", identifier: str) -> Reply:
    """Return a refund."""
    return Reply(200, objects.get(call.scope, "refund", identifier))
