"""The balance of an account: every movement has a code of PayPal's, and what moved adds up to the balance."""

import sqlite3

from apps.simulator.contracts import StatementExtra
from apps.simulator.paypal.contracts import Body, Scope
from apps.simulator.paypal.services import currencies, ids

PAYMENT = "T0006"
REFUND = "T1107"
REVERSAL = "T1106"
CHARGEBACK = "T1201"
CHARGEBACK_REVERSAL = "T1202"
CHARGEBACK_FEE = "T0106"
ADJUSTMENT = "T1200"
FEE = "T0100"
EXTRAS_OF = {PAYMENT, REFUND}
EXTRAS = {"payment": ADJUSTMENT, "charge": FEE}
"""The codes of movements that come of nothing, by the kind that a script names."""
DETAILS = {
    PAYMENT: "Express Checkout Payment",
    REFUND: "Payment Refund",
    REVERSAL: "Payment Reversal",
    CHARGEBACK: "Chargeback",
    CHARGEBACK_REVERSAL: "Chargeback Reversal",
    CHARGEBACK_FEE: "Chargeback Fee",
}


def book(
    scope: Scope,
    code: str,
    transaction: str,
    *,
    amount: int,
    currency: str,
    fee: int = 0,
    source: Body,
) -> None:
    """
    Move the balance by an amount minus a fee, both of the same currency.

    Where that is another than the account's the net is converted and so is the fee; the whole is what they come to.
    ``source`` may tell invoice_id, custom_id, and the reference of the payment that it is about. A plan may hide the
    movement from lists, and put others of nothing beside that of a payment or a refund.
    """
    net, rate = currencies.settled(amount - fee, currency, account=scope.account)
    moved_fee, _ = currencies.settled(fee, currency, account=scope.account)
    _insert(
        scope,
        transaction_id=transaction,
        event_code=code,
        reference=source.get("reference", ""),
        amount=amount,
        fee=fee,
        currency=currency,
        moved=net + moved_fee,
        moved_fee=moved_fee,
        rate=rate,
        invoice_id=source.get("invoice_id") or "",
        custom_id=source.get("custom_id") or "",
        details=DETAILS[code],
        is_hidden=int(scope.plan.is_hidden_from_statement),
    )
    for extra in scope.plan.extras if code in EXTRAS_OF else ():
        _add_extra(scope, extra)


def _add_extra(scope: Scope, extra: StatementExtra) -> None:
    """Move the balance by a sum, in the account's currency, that comes of nothing else."""
    amount = extra.amount_cents if extra.kind == "payment" else -extra.amount_cents
    _insert(
        scope,
        transaction_id=extra.receipt or ids.draw(tx=scope.tx, kind="transaction"),
        event_code=EXTRAS[extra.kind],
        amount=amount,
        currency=scope.account.currency,
        moved=amount,
        details=extra.details,
    )


def _insert(scope: Scope, **told: str | int) -> None:
    row: dict[str, str | int] = {
        "account": scope.account.id,
        "reference": "",
        "fee": 0,
        "moved_fee": 0,
        "rate": "",
        "invoice_id": "",
        "custom_id": "",
        "is_hidden": 0,
        "at": scope.now,
        **told,
    }
    marks = ", ".join("?" for _ in row)
    scope.tx.execute(
        f"INSERT INTO paypal_movement ({', '.join(row)}) VALUES ({marks})",  # noqa: S608 (names of our own)
        tuple(row.values()),
    )


def fee_on(scope: Scope, amount: int) -> int:
    """Return PayPal's fee on a payment, rounded half up, in the smallest unit of its currency; never more than the payment."""
    account = scope.account
    return min(amount, (amount * account.fee_bps + 5_000) // 10_000 + account.fee_fixed)


def listed(scope: Scope) -> list[sqlite3.Row]:
    """Return the movements that the account's owner is shown, oldest first."""
    return scope.tx.execute(
        "SELECT * FROM paypal_movement WHERE account = ? AND is_hidden = 0 ORDER BY number",
        (scope.account.id,),
    ).fetchall()


def total(scope: Scope) -> int:
    """Return the whole balance in the account's currency, that of hidden movements too."""
    query = "SELECT coalesce(sum(moved - moved_fee), 0) AS n FROM paypal_movement WHERE account = ?"
    return int(scope.tx.execute(query, (scope.account.id,)).fetchone()["n"])
