"""Payouts: what is available goes to the bank, by hand or all of it by itself, and may come back."""

from apps.simulator.stripe.contracts import Body, Scope, StripeRefusal
from apps.simulator.stripe.services import balances, currencies, events, ids, objects

ARRIVES_AFTER_MS = 24 * 3_600_000


def add(
    scope: Scope, *, amount: int, is_automatic: bool, metadata: Body, description: str | None = None
) -> Body:
    """Send money of the balance to the bank of the account; raise StripeRefusal for more than is there."""
    there = balances.balance(scope)["available"][0]["amount"]
    if not 0 < amount <= there:
        currency = scope.account.currency
        raise StripeRefusal(
            400,
            f"You have insufficient funds in your Stripe account. One likely reason is that {currencies.shown(there, currency)} "
            f"{currency} is available.",
            code="balance_insufficient",
        )
    body: Body = {
        "id": ids.draw(tx=scope.tx, kind="payout"),
        "object": "payout",
        "amount": amount,
        "arrival_date": scope.seconds + ARRIVES_AFTER_MS // 1_000,
        "automatic": is_automatic,
        "balance_transaction": None,
        "created": scope.seconds,
        "currency": scope.account.currency,
        "description": description,
        "destination": None,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": scope.account.is_live,
        "metadata": metadata,
        "method": "standard",
        "original_payout": None,
        "reconciliation_status": "completed" if is_automatic else "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "in_transit",
        "type": "bank_account",
    }
    movement = balances.book(scope, "payout", body["id"], amount=-amount, currency=scope.account.currency)
    body["balance_transaction"] = movement["id"]
    objects.add(scope, body, due_at=scope.now + ARRIVES_AFTER_MS)
    events.tell(scope, "payout.created", body)
    return body


def sweep(scope: Scope) -> Body:
    """Pay out all that is available, and remember which movements it consists of."""
    rows = [
        row for row in balances.listed(scope) if row["status"] == "available" and not payout_of(scope, row)
    ]
    payout = add(scope, amount=sum(row["net"] for row in rows), is_automatic=True, metadata={})
    for identifier in (*(row["id"] for row in rows), payout["balance_transaction"]):
        objects.note(scope, identifier, payout=payout["id"])
    events.tell(scope, "payout.reconciliation_completed", payout)
    return payout


def payout_of(scope: Scope, movement: Body) -> str:
    """Return the payout that a movement went out with, or nothing."""
    return str(objects.private(scope, movement["id"])["payout"])


def settle(scope: Scope, payout: Body) -> None:
    """Let the money arrive."""
    payout["status"] = "paid"
    objects.save(scope, payout)
    events.tell(scope, "payout.paid", payout)


def fail(scope: Scope, payout: Body) -> Body:
    """Let the bank send the money back, even after it seemed to have arrived; raise StripeRefusal for a second time."""
    if payout["status"] not in {"in_transit", "paid"}:
        raise StripeRefusal(400, f"This payout has a status of {payout['status']}.")
    back = balances.book(
        scope, "payout_failure", payout["id"], amount=payout["amount"], currency=payout["currency"]
    )
    payout |= {
        "failure_balance_transaction": back["id"],
        "failure_code": "account_closed",
        "failure_message": "The bank account has been closed.",
        "status": "failed",
    }
    objects.wake(scope, payout["id"], at=None)
    objects.save(scope, payout)
    events.tell(scope, "payout.failed", payout)
    return payout
