"""The balance of an account: every movement has a code of PayPal's, and what moved adds up to the balance."""

import sqlite3

from apps.simulator.paypal.contracts import Body, Scope
from apps.simulator.paypal.services import currencies

PAYMENT = "T0006"
REFUND = "T1107"
REVERSAL = "T1106"
CHARGEBACK = "T1201"
CHARGEBACK_REVERSAL = "T1202"
CHARGEBACK_FEE = "T0106"
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
    movement from lists.
    """
    net, rate = currencies.settled(amount - fee, currency, account=scope.account)
    moved_fee, _ = currencies.settled(fee, currency, account=scope.account)
    scope.tx.execute(
        "INSERT INTO paypal_movement (account, transaction_id, event_code, reference, amount, fee, currency, moved, "
        "moved_fee, rate, invoice_id, custom_id, details, is_hidden, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            scope.account.id,
            transaction,
            code,
            source.get("reference", ""),
            amount,
            fee,
            currency,
            net + moved_fee,
            moved_fee,
            rate,
            source.get("invoice_id") or "",
            source.get("custom_id") or "",
            DETAILS[code],
            int(scope.plan.is_hidden_from_statement),
            scope.now,
        ),
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
