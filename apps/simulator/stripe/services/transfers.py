"""Transfers between a platform and the accounts that are connected to it."""

from apps.simulator.stripe.contracts import Body, Scope, StripeRefusal
from apps.simulator.stripe.services import accounts, balances, currencies, events, ids, objects

SHOWN = 10


def check(scope: Scope, *, amount: int, currency: str, destination: str, charge: Body | None) -> None:
    """Raise StripeRefusal for an account that may not be paid to, and for more than the balance, or the charge, has."""
    _receiver(scope, destination)
    _check_plan(scope, "The transfer was refused.")
    receiver = objects.get(scope, "account", destination, param="destination", status=400)
    if receiver["capabilities"]["transfers"] != "active":
        raise StripeRefusal(
            400,
            "Your destination account needs to have at least one of the following capabilities enabled: transfers, "
            "crypto_transfers, legacy_payments",
            code="insufficient_capabilities_for_transfer",
        )
    if charge is None:
        balances.check_there(scope, amount, currency)
    elif amount > charge["amount_captured"]:
        raise StripeRefusal(
            400,
            f"The transfer is larger than its source ({currencies.shown(charge['amount_captured'], currency)} {currency}).",
            param="amount",
        )


def add(
    scope: Scope, *, amount: int, currency: str, destination: str, charge: Body | None = None, **given: object
) -> Body:
    """Move money from the account to a connected one; raise StripeRefusal for one that is not."""
    receiver = _receiver(scope, destination)
    amount = events.wrong_sum(scope, amount)
    identifier = ids.draw(tx=scope.tx, kind="transfer")
    source = charge["id"] if charge else None
    out = balances.book(scope, "transfer", identifier, amount=-amount, currency=currency)
    balances.book(receiver, "payment", identifier, amount=amount, currency=currency)
    body: Body = {
        "id": identifier,
        "object": "transfer",
        "amount": amount,
        "amount_reversed": 0,
        "balance_transaction": out["id"],
        "created": scope.seconds,
        "currency": currency,
        "description": given.get("description"),
        "destination": destination,
        "destination_payment": None,
        "livemode": scope.account.is_live,
        "metadata": given.get("metadata") or {},
        "reversals": {
            "object": "list",
            "data": [],
            "has_more": False,
            "total_count": 0,
            "url": f"/v1/transfers/{identifier}/reversals",
        },
        "reversed": False,
        "source_transaction": source,
        "source_type": "card",
        "transfer_group": given.get("transfer_group") or (charge or {}).get("transfer_group"),
    }
    objects.add(scope, body)
    events.tell(scope, "transfer.created", body)
    return body


def update(scope: Scope, transfer: Body, *, description: str | None, metadata: Body) -> Body:
    """Change what is written beside a transfer."""
    transfer["description"] = description or transfer["description"]
    transfer["metadata"] |= metadata
    objects.save(scope, transfer)
    events.tell(scope, "transfer.updated", transfer)
    return transfer


def reverse(
    scope: Scope, transfer: Body, *, amount: int | None, metadata: Body, description: str | None = None
) -> Body:
    """Take a transfer back, whole or in part; raise StripeRefusal for more than is left of it, or than its receiver has."""
    _check_plan(scope, "The reversal was refused.")
    left = transfer["amount"] - transfer["amount_reversed"]
    taken = left if amount is None else amount
    if not 0 < taken <= left:
        raise StripeRefusal(
            400, f"Reversal amount is greater than the {left} that is left of the transfer.", param="amount"
        )
    identifier = ids.draw(tx=scope.tx, kind="transfer_reversal")
    receiver = _receiver(scope, transfer["destination"])
    owed, _ = currencies.settled(taken, transfer["currency"], account=receiver.account)
    if owed > balances.total(receiver):
        raise StripeRefusal(
            400,
            "The connected account's balance is too small for this reversal.",
            code="balance_insufficient",
            param="amount",
        )
    back = balances.book(scope, "transfer_refund", identifier, amount=taken, currency=transfer["currency"])
    balances.book(receiver, "payment_refund", identifier, amount=-taken, currency=transfer["currency"])
    body: Body = {
        "id": identifier,
        "object": "transfer_reversal",
        "amount": taken,
        "balance_transaction": back["id"],
        "created": scope.seconds,
        "currency": transfer["currency"],
        "description": description,
        "destination_payment_refund": None,
        "metadata": metadata,
        "source_refund": None,
        "transfer": transfer["id"],
    }
    objects.add(scope, body)
    transfer["amount_reversed"] += taken
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    kept = transfer["reversals"]
    count = kept["total_count"] + 1
    kept |= {"data": [body, *kept["data"]][:SHOWN], "has_more": count > SHOWN, "total_count": count}
    objects.save(scope, transfer)
    events.tell(scope, "transfer.reversed", transfer)
    return body


def follow(scope: Scope, charge: Body) -> None:
    """Pass a captured charge on where it names a destination, without what the platform keeps of it."""
    told = charge["transfer_data"]
    if told is None:
        return
    kept = charge["application_fee_amount"] or 0
    add(
        scope,
        amount=int(told.get("amount") or charge["amount_captured"] - kept),
        currency=charge["currency"],
        destination=told["destination"],
        charge=charge,
    )


def _check_plan(scope: Scope, words: str) -> None:
    refusal = scope.plan.result_code
    if refusal not in {None, "0"}:
        raise StripeRefusal(400, words, code=refusal)


def _receiver(scope: Scope, destination: str) -> Scope:
    try:
        account = accounts.get(tx=scope.tx, identifier=destination)
    except accounts.UnknownAccount as unknown:
        raise StripeRefusal(
            400, f"No such destination: '{destination}'", code="resource_missing", param="destination"
        ) from unknown
    if account.platform != scope.account.id:
        raise StripeRefusal(
            400, f"No such destination: '{destination}'", code="resource_missing", param="destination"
        )
    return Scope(tx=scope.tx, account=account, now=scope.now, plan=scope.plan)
