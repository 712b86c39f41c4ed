"""The statement of a Stripe account in the shape of a shortcode's: each movement, then its fee, with the balance after it."""

from apps.simulator.services.clock import iso
from apps.simulator.stripe.contracts import Body, Scope
from apps.simulator.stripe.services import balances, currencies, objects

KINDS = {
    "charge": "payment",
    "payment": "transfer",
    "refund": "reversal",
    "refund_failure": "reversal_failure",
    "adjustment": "dispute",
    "stripe_fee": "charge",
}


def account(scope: Scope) -> Body:
    """Return the account with its balance, without its key."""
    own = scope.account
    return {
        "account": own.id,
        "platform": own.platform,
        "name": own.name,
        "country": own.country,
        "currency": own.currency.upper(),
        "fee_bps": own.fee_bps,
        "fee_fixed": own.fee_fixed,
        "dispute_fee": own.dispute_fee,
        "rates": own.rates,
        "may_overdraw": own.may_overdraw,
        "balance": currencies.shown(balances.total(scope), own.currency),
        "webhooks": [endpoint["url"] for endpoint in objects.newest(scope, "webhook_endpoint")],
    }


def statement(scope: Scope) -> Body:
    """Return every movement from the first on; hidden ones are missing, and are in the closing balance all the same."""
    own, rows, balance = scope.account, list[Body](), 0
    for movement in reversed(balances.listed(scope)):
        parts: list[tuple[str, int]] = [(_kind(movement), movement["amount"])]
        parts += [("charge", -movement["fee"])] if movement["fee"] else []
        for kind, amount in parts:
            balance += amount
            rows.append(_row(scope, movement, kind=kind, amount=amount, balance=balance))
    return {
        "shortcode": own.id,
        "name": own.name,
        "currency": own.currency.upper(),
        "opening_balance": currencies.shown(0, own.currency),
        "closing_balance": currencies.shown(balances.total(scope), own.currency),
        "rows": rows,
    }


def _kind(movement: Body) -> str:
    name = str(movement["type"])
    is_of_nothing = name == "adjustment" and movement["source"] is None
    return name if is_of_nothing else KINDS.get(name, name)


def _row(scope: Scope, movement: Body, *, kind: str, amount: int, balance: int) -> Body:
    currency = scope.account.currency
    source = (objects.any_of(scope, movement["source"]) or {}) if movement["source"] else {}
    return {
        "receipt": movement["source"] or movement["id"],
        "kind": kind,
        "transaction": movement["id"],
        "intent": source.get("payment_intent"),
        "metadata": source.get("metadata", {}),
        "original_amount": source.get("amount"),
        "original_currency": (source.get("currency") or currency).upper(),
        "exchange_rate": balances.rate_text(movement["exchange_rate"]),
        "completed_at": iso(at=movement["created"] * 1_000),
        "details": movement["description"] or "",
        "paid_in": currencies.shown(max(amount, 0), currency),
        "withdrawn": currencies.shown(max(-amount, 0), currency),
        "balance": currencies.shown(balance, currency),
        "linked_receipt": source.get("charge") or source.get("transfer") or "",
    }
