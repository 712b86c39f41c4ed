"""The statement of a PayPal account in the shape of a shortcode's: each movement, then its fee, with the balance after it."""

import sqlite3

from apps.simulator.paypal.contracts import Body, Scope
from apps.simulator.paypal.services import currencies, movements, objects
from apps.simulator.services.clock import iso

KINDS = {
    movements.PAYMENT: "payment",
    movements.REFUND: "reversal",
    movements.REVERSAL: "dispute",
    movements.CHARGEBACK: "dispute",
    movements.CHARGEBACK_REVERSAL: "dispute",
    movements.CHARGEBACK_FEE: "charge",
    movements.ADJUSTMENT: "adjustment",
    movements.FEE: "charge",
}


def account(scope: Scope) -> Body:
    """Return the account with its balance and what it tells events, without its secret."""
    own = scope.account
    return {
        "account": own.id,
        "name": own.name,
        "client_id": own.client_id,
        "country": own.country,
        "currency": own.currency,
        "fee_bps": own.fee_bps,
        "fee_fixed": own.fee_fixed,
        "dispute_fee": own.dispute_fee,
        "rates": own.rates,
        "balance": currencies.text(movements.total(scope), own.currency),
        "webhooks": [{"id": hook["id"], "url": hook["url"]} for hook in objects.newest(scope, "webhook")],
    }


def statement(scope: Scope) -> Body:
    """Return every movement from the first on; hidden ones are missing, and are in the closing balance all the same."""
    own, rows, balance = scope.account, list[Body](), 0
    for movement in movements.listed(scope):
        parts: list[tuple[str, int]] = [(KINDS[movement["event_code"]], movement["moved"])]
        parts += [("charge", -movement["moved_fee"])] if movement["moved_fee"] else []
        for kind, amount in parts:
            balance += amount
            rows.append(_row(own.currency, movement, kind=kind, amount=amount, balance=balance))
    return {
        "shortcode": own.id,
        "name": own.name,
        "currency": own.currency,
        "opening_balance": currencies.text(0, own.currency),
        "closing_balance": currencies.text(movements.total(scope), own.currency),
        "rows": rows,
    }


def _row(currency: str, movement: sqlite3.Row, *, kind: str, amount: int, balance: int) -> Body:
    return {
        "receipt": movement["transaction_id"],
        "kind": kind,
        "event_code": movement["event_code"],
        "invoice_id": movement["invoice_id"],
        "custom_id": movement["custom_id"],
        "original_amount": currencies.text(movement["amount"], movement["currency"]),
        "original_currency": movement["currency"],
        "exchange_rate": movement["rate"],
        "completed_at": iso(at=movement["at"]),
        "details": movement["details"],
        "paid_in": currencies.text(max(amount, 0), currency),
        "withdrawn": currencies.text(max(-amount, 0), currency),
        "balance": currencies.text(balance, currency),
        "linked_receipt": movement["reference"],
    }
