"""The statement of each shortcode, where every movement of its balance stands."""

import sqlite3

from apps.simulator.contracts import Payment, Prompt, Reversal, StatementExtra, StatementRow
from apps.simulator.services import accounts, amounts, identifiers

COLUMNS = (
    "receipt, kind, initiated_at, completed_at, details, other_party, reference, "
    "paid_in_cents, withdrawn_cents, balance_cents, linked_receipt"
)


def record_payment(
    *, tx: sqlite3.Connection, paid: Prompt | Payment, receipt: str, moved_cents: int, now: int
) -> int:
    """Book a payment and its charge, each as a row with the same receipt, and return the charge."""
    account = accounts.get(tx=tx, shortcode=paid.receiver)
    is_bill = paid.transaction_type == "CustomerPayBillOnline"
    words = "Pay Bill" if is_bill else "Merchant Payment"
    party = f"{paid.payer} - PAYER {paid.payer[-4:]}"
    charge_cents = amounts.charge(amount_cents=moved_cents, basis_points=account.charge_bps)
    movements = [
        ("payment", moved_cents, f"{words} from {party} Acc. {paid.reference}".removesuffix(" Acc. "))
    ]
    if charge_cents:
        movements.append(("charge", -charge_cents, f"{words} Charge"))
    for kind, by_cents, details in movements:
        _append(
            tx=tx,
            shortcode=paid.receiver,
            by_cents=by_cents,
            row=StatementRow(receipt, kind, paid.created_at, now, details, party, paid.reference, 0, 0, 0),
            is_hidden=paid.plan.is_hidden_from_statement,
        )
    return charge_cents


def record_extra(*, tx: sqlite3.Connection, shortcode: str, extra: StatementExtra, now: int) -> None:
    """Book a movement that no prompt caused."""
    receipt = extra.receipt or identifiers.receipt(tx=tx)
    by_cents = extra.amount_cents if extra.kind == "payment" else -extra.amount_cents
    row = StatementRow(receipt, extra.kind, now, now, extra.details, "", "", 0, 0, 0)
    _append(tx=tx, shortcode=shortcode, by_cents=by_cents, row=row, is_hidden=False)


def record_reversal(
    *, tx: sqlite3.Connection, reversal: Reversal, receipt: str, moved_cents: int, now: int
) -> None:
    """Book money that goes back to its payer; the charge of the payment is not given back."""
    party = f"{reversal.payer} - PAYER {reversal.payer[-4:]}"
    row = StatementRow(
        receipt=receipt,
        kind="reversal",
        initiated_at=reversal.created_at,
        completed_at=now,
        details=f"Reversal of {reversal.original_receipt} to {party}",
        other_party=party,
        reference="",
        paid_in_cents=0,
        withdrawn_cents=0,
        balance_cents=0,
        linked_receipt=reversal.original_receipt,
    )
    _append(
        tx=tx,
        shortcode=reversal.shortcode,
        by_cents=-moved_cents,
        row=row,
        is_hidden=reversal.plan.is_hidden_from_statement,
    )


def payments_between(
    *, tx: sqlite3.Connection, shortcode: str, span: tuple[int, int], offset: int, limit: int
) -> list[StatementRow]:
    """Return one page of the payments that a business pulls, those of its tills too, oldest first; both ends of the span are within."""
    found = tx.execute(
        f"SELECT {COLUMNS} FROM statement_row WHERE kind = 'payment' AND is_hidden = 0 "  # noqa: S608
        "AND (shortcode = ? OR shortcode IN (SELECT shortcode FROM account WHERE store = ?)) "
        "AND completed_at BETWEEN ? AND ? ORDER BY completed_at, id LIMIT ? OFFSET ?",
        (shortcode, shortcode, *span, limit, offset),
    )
    return [StatementRow(**dict(row)) for row in found]


def rows(*, tx: sqlite3.Connection, shortcode: str) -> list[StatementRow]:
    """Return the rows that the owner of the shortcode sees, oldest first."""
    found = tx.execute(
        f"SELECT {COLUMNS} FROM statement_row WHERE shortcode = ? AND is_hidden = 0 ORDER BY id",  # noqa: S608
        (shortcode,),
    )
    return [StatementRow(**dict(row)) for row in found]


def _append(
    *, tx: sqlite3.Connection, shortcode: str, by_cents: int, row: StatementRow, is_hidden: bool
) -> None:
    balance_cents = accounts.change_balance(tx=tx, shortcode=shortcode, by_cents=by_cents)
    tx.execute(
        f"INSERT INTO statement_row (shortcode, {COLUMNS}, is_hidden) "  # noqa: S608
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            shortcode,
            row.receipt,
            row.kind,
            row.initiated_at,
            row.completed_at,
            row.details,
            row.other_party,
            row.reference,
            max(by_cents, 0),
            max(-by_cents, 0),
            balance_cents,
            row.linked_receipt,
            int(is_hidden),
        ),
    )
