"""Endpoints of the balance: its movements, payouts and disputes."""

from typing import TYPE_CHECKING

from apps.simulator.stripe.api.forms import upload
from apps.simulator.stripe.api.listing import PAGING, page
from apps.simulator.stripe.contracts import Body
from apps.simulator.stripe.services import balances, disputes, objects, payouts

if TYPE_CHECKING:
    from apps.simulator.stripe.api.calls import Call

FILE_MARKS = ((b"%PDF", "pdf"), (b"\x89PNG", "png"), (b"\xff\xd8\xff", "jpg"))
"""How the kinds of files begin that prove something; clients send all of them without a media type."""


def balance(call: "Call") -> Body:
    """Return the balance."""
    call.params.only("expand")
    return balances.balance(call.scope)


def retrieve_movement(call: "Call", identifier: str) -> Body:
    """Return a balance transaction."""
    return balances.present(call.scope, objects.get(call.scope, "balance_transaction", identifier))


def list_movements(call: "Call") -> Body:
    """List balance transactions; those of an automatic payout where it is named."""
    call.params.only(*PAGING, "currency", "payout", "source", "type")
    found = balances.listed(call.scope)
    for name in ("currency", "source", "type"):
        wanted = call.params.text(name)
        found = [body for body in found if wanted in {None, body[name]}]
    payout = call.params.text("payout")
    if payout is not None:
        found = [body for body in found if payouts.payout_of(call.scope, body) == payout]
    return page(found, call.params, url="/v1/balance_transactions")


def create_payout(call: "Call") -> Body:
    """Send money to the bank."""
    call.params.only("amount", "currency", "description", "expand", "metadata")
    if call.params.currency() != call.scope.account.currency:
        raise call.params.wrong("currency", "You have no balance in this currency.", None)
    return payouts.add(
        call.scope,
        amount=call.params.whole("amount", is_required=True) or 0,
        is_automatic=False,
        metadata=call.params.metadata(),
        description=call.params.text("description"),
    )


def retrieve_payout(call: "Call", identifier: str) -> Body:
    """Return a payout."""
    return objects.get(call.scope, "payout", identifier)


def list_payouts(call: "Call") -> Body:
    """List payouts."""
    call.params.only(*PAGING, "status")
    found = objects.newest(call.scope, "payout", status=call.params.text("status"))
    return page(found, call.params, url="/v1/payouts")


def retrieve_dispute(call: "Call", identifier: str) -> Body:
    """Return a dispute."""
    return objects.get(call.scope, "dispute", identifier)


def list_disputes(call: "Call") -> Body:
    """List disputes."""
    call.params.only(*PAGING, "charge", "payment_intent")
    wanted = {name: call.params.text(name) for name in ("charge", "payment_intent")}
    return page(objects.newest(call.scope, "dispute", **wanted), call.params, url="/v1/disputes")


def update_dispute(call: "Call", identifier: str) -> Body:
    """Keep evidence of a dispute, and submit it unless the caller wants to go on."""
    call.params.only("evidence", "expand", "metadata", "submit")
    evidence = call.params.inner("evidence")
    evidence.only(*disputes.TEXTS, *disputes.FILES)
    is_staged = call.params.text("submit") == "false"
    dispute = objects.get(call.scope, "dispute", identifier)
    for name in disputes.FILES:
        given = evidence.text(name)
        if given is not None:
            objects.get(call.scope, "file", given, param=evidence.full(name), status=400)
    return disputes.answer(
        call.scope,
        dispute,
        evidence={name: evidence.text(name, longest=20_000) or "" for name in evidence.values},
        metadata=call.params.metadata(),
        is_submitted=bool(evidence.values or "submit" in call.params.values) and not is_staged,
    )


def create_file(call: "Call") -> Body:
    """Keep a file that proves something; its content is looked at by nobody."""
    call.params.only("expand", "file", "purpose")
    purpose = call.params.choice("purpose", "dispute_evidence", is_required=True) or ""
    file = upload(call.request)
    if file is None:
        raise call.params.missing("file")
    kind = next((kind for mark, kind in FILE_MARKS if file.content.startswith(mark)), None)
    if kind is None:
        raise call.params.wrong(
            "file", "Invalid file: dispute evidence is a JPEG, a PNG or a PDF.", "invalid_file"
        )
    return disputes.keep_file(
        call.scope, name=file.filename, kind=kind, size=len(file.content), purpose=purpose
    )


def retrieve_file(call: "Call", identifier: str) -> Body:
    """Return what is known of a file."""
    return objects.get(call.scope, "file", identifier)


def close_dispute(call: "Call", identifier: str) -> Body:
    """Give up a dispute."""
    call.params.only("expand")
    return disputes.close(call.scope, objects.get(call.scope, "dispute", identifier))
