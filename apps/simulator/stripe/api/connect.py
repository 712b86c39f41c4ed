"""Endpoints of a platform: the accounts that are connected to it, and transfers to them."""

from typing import TYPE_CHECKING

from apps.simulator.stripe.api.listing import PAGING, page
from apps.simulator.stripe.contracts import Body
from apps.simulator.stripe.services import connected, ids, objects, transfers

if TYPE_CHECKING:
    from apps.simulator.stripe.api.calls import Call

CONTROLLED = ("business_profile", "business_type", "capabilities", "controller", "settings", "tos_acceptance")
LINK_LASTS = 300


def create_account(call: "Call") -> Body:
    """Connect a new account, which may take no money until its owner has been seen."""
    params = call.params
    params.only(*CONTROLLED, "country", "default_currency", "email", "expand", "metadata", "type")
    return connected.add(
        call.scope,
        kind=params.choice("type", "express", "standard", "custom") or "none",
        country=params.text("country") or call.scope.account.country,
        email=params.text("email"),
        currency=params.text("default_currency") or call.scope.account.currency,
        metadata=params.metadata(),
    )


def retrieve_own(call: "Call") -> Body:
    """Return the account of the key."""
    return connected.shown(call.scope)


def retrieve_account(call: "Call", identifier: str) -> Body:
    """Return a connected account, or the caller's own."""
    if identifier == call.scope.account.id:
        return connected.shown(call.scope)
    return connected.get(call.scope, identifier)


def list_accounts(call: "Call") -> Body:
    """List connected accounts."""
    call.params.only(*PAGING)
    return page(objects.newest(call.scope, "account"), call.params, url="/v1/accounts")


def create_link(call: "Call") -> Body:
    """Return the page on which the owner of a connected account is seen."""
    params = call.params
    params.only("account", "collect", "collection_options", "expand", "refresh_url", "return_url", "type")
    params.choice("type", "account_onboarding", "account_update", is_required=True)
    account = connected.still_open(connected.get(call.scope, params.required("account")))
    return_url = params.address("return_url", is_required=True) or ""
    refresh_url = params.address("refresh_url", is_required=True) or ""
    link = ids.draw(tx=call.tx, kind="account_link")
    until = call.scope.seconds + LINK_LASTS
    objects.note(
        call.scope,
        account["id"],
        return_url=return_url,
        refresh_url=refresh_url,
        link=link,
        link_until=until,
    )
    return {
        "object": "account_link",
        "created": call.scope.seconds,
        "expires_at": until,
        "url": f"{call.scope.origin}/stripe/onboard/{account['id']}/{link}",
    }


def create_transfer(call: "Call") -> Body:
    """Send money of the balance to a connected account."""
    params = call.params
    params.only(
        "amount",
        "currency",
        "description",
        "destination",
        "expand",
        "metadata",
        "source_transaction",
        "transfer_group",
    )
    amount, currency = params.whole("amount", is_required=True) or 0, params.currency()
    if amount < 1:
        raise params.wrong("amount", "Invalid positive integer", "parameter_invalid_integer")
    source = params.text("source_transaction")
    charge = (
        objects.get(call.scope, "charge", source, param="source_transaction", status=400) if source else None
    )
    destination = params.required("destination")
    transfers.check(call.scope, amount=amount, currency=currency, destination=destination, charge=charge)
    return transfers.add(
        call.scope,
        amount=amount,
        currency=currency,
        destination=destination,
        charge=charge,
        description=params.text("description"),
        metadata=params.metadata(),
        transfer_group=params.text("transfer_group"),
    )


def retrieve_transfer(call: "Call", identifier: str) -> Body:
    """Return a transfer."""
    return objects.get(call.scope, "transfer", identifier)


def update_transfer(call: "Call", identifier: str) -> Body:
    """Change what is written beside a transfer."""
    call.params.only("description", "expand", "metadata")
    return transfers.update(
        call.scope,
        objects.get(call.scope, "transfer", identifier),
        description=call.params.text("description"),
        metadata=call.params.metadata(),
    )


def list_transfers(call: "Call") -> Body:
    """List transfers."""
    call.params.only(*PAGING, "destination", "transfer_group")
    wanted = {name: call.params.text(name) for name in ("destination", "transfer_group")}
    return page(objects.newest(call.scope, "transfer", **wanted), call.params, url="/v1/transfers")


def create_reversal(call: "Call", transfer: str) -> Body:
    """Take a transfer back, or a part of it."""
    call.params.only("amount", "description", "expand", "metadata", "refund_application_fee")
    return transfers.reverse(
        call.scope,
        objects.get(call.scope, "transfer", transfer),
        amount=call.params.whole("amount"),
        metadata=call.params.metadata(),
        description=call.params.text("description"),
    )


def list_reversals(call: "Call", transfer: str) -> Body:
    """List what was taken back of a transfer."""
    call.params.only(*PAGING)
    whole = objects.get(call.scope, "transfer", transfer)
    found = objects.newest(call.scope, "transfer_reversal", transfer=transfer)
    return page(found, call.params, url=whole["reversals"]["url"])


def retrieve_reversal(call: "Call", transfer: str, identifier: str) -> Body:
    """Return what was taken back of a transfer in one go."""
    objects.get(call.scope, "transfer", transfer)
    return objects.get(call.scope, "transfer_reversal", identifier)
