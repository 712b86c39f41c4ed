"""The balance of an account: every movement is a balance transaction, and their nets add up to it."""

import json
from decimal import Decimal

from apps.simulator.contracts import StatementExtra
from apps.simulator.stripe.contracts import Body, Scope, StripeRefusal
from apps.simulator.stripe.services import currencies, ids, objects

SETTLES_AFTER = 2 * 24 * 3_600
CATEGORIES = {"adjustment": "dispute", "payment": "charge", "transfer_refund": "transfer_reversal"}
EXTRAS_OF = {"charge", "refund"}
EXTRAS = {"payment": ("adjustment", "other_adjustment"), "charge": ("stripe_fee", "fee")}
"""The type and the category of movements that come of nothing, by the kind that a script names."""


def book(
    scope: Scope, kind: str, source: str, *, amount: int, currency: str, fee: int = 0, description: str = ""
) -> Body:
    """
    Move the balance of the account by an amount of any currency, minus a fee in the account's own.

    The amount is converted where its currency is another than the account's. What a payment brings is pending for two days.
    A plan may hide the movement from lists, and put others of nothing beside that of a payment or a refund.
    """
    moved, rate = currencies.settled(amount, currency, account=scope.account)
    is_later = kind in {"charge", "payment"}
    body: Body = {
        "id": ids.draw(tx=scope.tx, kind="balance_transaction"),
        "object": "balance_transaction",
        "amount": moved,
        "available_on": scope.seconds + (SETTLES_AFTER if is_later else 0),
        "balance_type": "payments",
        "created": scope.seconds,
        "currency": scope.account.currency,
        "description": description or None,
        "exchange_rate": None if rate is None else float(rate),
        "fee": fee,
        "fee_details": [_fee(scope, fee)] if fee else [],
        "net": moved - fee,
        "reporting_category": CATEGORIES.get(kind, kind),
        "source": source,
        "status": "pending" if is_later else "available",
        "type": kind,
    }
    objects.add(scope, body, is_hidden=scope.plan.is_hidden_from_statement, payout="")
    for extra in scope.plan.extras if kind in EXTRAS_OF else ():
        _add_extra(scope, body, extra)
    return body


def _add_extra(scope: Scope, beside: Body, extra: StatementExtra) -> None:
    """Move the balance by a sum that comes of no object of the account."""
    amount = extra.amount_cents if extra.kind == "payment" else -extra.amount_cents
    kind, category = EXTRAS[extra.kind]
    told = {
        "id": extra.receipt or ids.draw(tx=scope.tx, kind="balance_transaction"),
        "amount": amount,
        "available_on": scope.seconds,
        "description": extra.details,
        "exchange_rate": None,
        "fee": 0,
        "fee_details": [],
        "net": amount,
        "reporting_category": category,
        "source": None,
        "status": "available",
        "type": kind,
    }
    objects.add(scope, beside | told, payout="")


def let_arrive(scope: Scope, movement: Body) -> None:
    """Have what is pending there at once."""
    objects.save(scope, movement | {"available_on": movement["created"], "status": "available"})


def charge_fee(scope: Scope, amount: int, currency: str) -> int:
    """Return Stripe's fee on a charge, rounded half up, in the currency of the account."""
    moved, _ = currencies.settled(amount, currency, account=scope.account)
    return (moved * scope.account.fee_bps + 5_000) // 10_000 + scope.account.fee_fixed


def present(scope: Scope, body: Body) -> Body:
    """Return a movement as it stands now: what is pending becomes available with time."""
    is_there = body["available_on"] <= scope.seconds
    return body | {"status": "available" if is_there else "pending"}


def listed(scope: Scope) -> list[Body]:
    """Return the movements that the account's owner is shown, newest first."""
    return [present(scope, body) for body in objects.newest(scope, "balance_transaction")]


def total(scope: Scope) -> int:
    """Return the whole balance, that of hidden movements too."""
    return sum(body["net"] for body in _every(scope))


def check_there(scope: Scope, amount: int, currency: str) -> None:
    """Raise StripeRefusal where less than an amount is available, unless the account may overdraw."""
    wanted, _ = currencies.settled(amount, currency, account=scope.account)
    there = sum(body["net"] for body in _every(scope) if body["available_on"] <= scope.seconds)
    if wanted > there and not scope.account.may_overdraw:
        raise StripeRefusal(
            400,
            "You have insufficient available funds in your Stripe account. Try adding funds directly to your available balance "
            "by creating Charges using the 4000000000000077 test card. See: https://stripe.com/docs/testing#available-balance",
            code="balance_insufficient",
        )


def _every(scope: Scope) -> list[Body]:
    rows = scope.tx.execute(
        "SELECT body FROM stripe_object WHERE account = ? AND type = 'balance_transaction'",
        (scope.account.id,),
    )
    return [json.loads(row["body"]) for row in rows]


def balance(scope: Scope) -> Body:
    """Return the balance as Stripe shows it."""
    rows = listed(scope)
    sums = {
        status: sum(row["net"] for row in rows if row["status"] == status)
        for status in ("available", "pending")
    }
    currency = scope.account.currency
    return {
        "object": "balance",
        "livemode": scope.account.is_live,
        **{
            status: [{"amount": amount, "currency": currency, "source_types": {"card": amount}}]
            for status, amount in sums.items()
        },
    }


def rate_text(value: float | None) -> str:
    """Write a rate without the noise of a binary fraction."""
    return "" if value is None else str(Decimal(str(value)))


def _fee(scope: Scope, fee: int) -> Body:
    return {
        "amount": fee,
        "application": None,
        "currency": scope.account.currency,
        "description": "Stripe processing fees",
        "type": "stripe_fee",
    }
