"""Payments that people make unasked: the business is asked where it wants to be, then they are made or refused once."""

import json
import sqlite3
from dataclasses import replace

from apps.simulator.contracts import Account, AccountType, Payment, PaymentOrder, PaymentState, Plan, Prompt
from apps.simulator.services import (
    accounts,
    faults,
    identifiers,
    notices,
    plans,
    prompts,
    registrations,
    results,
    scripts,
    statements,
)
from apps.simulator.services.amounts import text
from apps.simulator.services.clock import moment

PATH = "/pay"
VALIDATION_MS = 8_000
LONGEST_OWN_ID = 100
REFUSALS = {
    results.BAD_PAYER,
    results.BAD_ACCOUNT,
    results.BAD_AMOUNT,
    "C2B00014",
    results.BAD_SHORTCODE,
    results.REFUSED_BY_BUSINESS,
}


def pay(*, tx: sqlite3.Connection, order: PaymentOrder, is_pin_right: bool, now: int) -> Payment:
    """Pay as a person does at the phone, with what the number and a script of the phone's face ask for."""
    _, actions = scripts.claim(
        tx=tx,
        face=scripts.PHONE,
        path=PATH,
        method="POST",
        body={
            "ShortCode": order.receiver,
            "Amount": text(cents=order.amount_cents),
            "Msisdn": order.payer,
            "BillRefNumber": order.reference,
        },
    )
    composed = faults.compose(actions=[*faults.magic_actions(msisdn=order.payer), *actions])
    plan = composed.plan
    if not is_pin_right:
        plan = replace(plan, result_code=results.WRONG_PIN)
    elif not composed.answer.is_processed:
        plan = replace(plan, result_code=results.SYSTEM_BUSY)
    return open_payment(tx=tx, order=order, plan=plan, now=now)


def open_payment(*, tx: sqlite3.Connection, order: PaymentOrder, plan: Plan, now: int) -> Payment:
    """
    Begin a payment: refuse it at once, make it at once, or ask the business first.

    The business has eight seconds to answer; then its registered default counts.
    """
    account = _receiver(tx, order.receiver)
    is_till = account is not None and account.type is AccountType.TILL
    receipt = identifiers.receipt(tx=tx)
    tx.execute(
        """
        INSERT INTO payment (receipt, conversation_id, receiver, business_name, transaction_type, payer,
                             amount_cents, reference, plan, state, created_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?)
        """,
        (
            receipt,
            identifiers.conversation(tx=tx, day=moment(at=now).strftime("%Y%m%d")),
            order.receiver,
            account.name if account else order.receiver,
            "CustomerBuyGoodsOnline" if is_till else "CustomerPayBillOnline",
            order.payer,
            order.amount_cents,
            "" if is_till else order.reference,
            plans.dump(plan=plan),
            now,
        ),
    )
    payment = get(tx=tx, receipt=receipt)
    registration = registrations.told_of(tx=tx, paid=payment)
    refusal = _own_refusal(tx=tx, order=order, account=account, plan=plan)
    if refusal is not None or account is None:
        _finish(tx=tx, payment=payment, result_code=refusal or results.NO_OPERATOR, now=now)
    elif registration is None or not account.is_validating:
        _finish(tx=tx, payment=payment, result_code=results.SUCCESS, now=now)
    else:
        tx.execute("UPDATE payment SET due_at = ? WHERE receipt = ?", (now + VALIDATION_MS, receipt))
        notices.ask(tx=tx, payment=payment, registration=registration, now=now)
    return get(tx=tx, receipt=receipt)


def hear(*, tx: sqlite3.Connection, receipt: str, answer: bytes | None, now: int) -> None:
    """
    Take the answer of the business to a payment that waits for it; an answer that cannot be read counts as none.

    An answer that comes after the decision changes nothing.
    """
    row = tx.execute("SELECT * FROM payment WHERE receipt = ? AND state = 'waiting'", (receipt,)).fetchone()
    if row is None:
        return
    payment = _payment(row)
    code, own_id = _verdict(answer)
    if code is None:
        code = _default(tx=tx, payment=payment)
    tx.execute("UPDATE payment SET third_party_id = ? WHERE receipt = ?", (own_id, receipt))
    _finish(tx=tx, payment=payment, result_code=code, now=now)


def settle_next(*, tx: sqlite3.Connection) -> None:
    """Decide the payment that falls due next: nobody answered in time, or a late success comes."""
    row = tx.execute(
        "SELECT * FROM payment WHERE due_at IS NOT NULL ORDER BY due_at, rowid LIMIT 1"
    ).fetchone()
    payment = _payment(row)
    is_late_success = payment.state is PaymentState.FAILED
    code = results.SUCCESS if is_late_success else _default(tx=tx, payment=payment)
    _finish(tx=tx, payment=payment, result_code=code, now=row["due_at"])


def next_due(*, tx: sqlite3.Connection) -> int | None:
    """Return when the next payment decides itself."""
    return tx.execute("SELECT min(due_at) FROM payment WHERE due_at IS NOT NULL").fetchone()[0]


def get(*, tx: sqlite3.Connection, receipt: str) -> Payment:
    """Return a payment that exists."""
    return _payment(tx.execute("SELECT * FROM payment WHERE receipt = ?", (receipt,)).fetchone())


def find(
    *, tx: sqlite3.Connection, receipt: str, conversation: str, shortcode: str
) -> Prompt | Payment | None:
    """Return what a shortcode was paid, asked for or not, by receipt or by an identifier of the conversation."""
    row = tx.execute(
        "SELECT * FROM payment WHERE receiver = ? AND "
        "CASE WHEN ? <> '' THEN receipt = ? AND state = 'paid' ELSE conversation_id = ? END",
        (shortcode, receipt, receipt, conversation),
    ).fetchone()
    if row is not None:
        return _payment(row)
    return prompts.find(tx=tx, receipt=receipt, conversation=conversation, shortcode=shortcode)


def by_receipt(*, tx: sqlite3.Connection, receipt: str) -> Prompt | Payment | None:
    """Return what a receipt belongs to, asked for or not, whoever was paid."""
    row = tx.execute("SELECT * FROM payment WHERE receipt = ? AND state = 'paid'", (receipt,)).fetchone()
    return prompts.by_receipt(tx=tx, receipt=receipt) if row is None else _payment(row)


def newest(*, tx: sqlite3.Connection, msisdn: str | None = None, limit: int = 200) -> list[Payment]:
    """Return the latest payments of one phone or of all, newest first."""
    rows = tx.execute(
        "SELECT * FROM payment WHERE (? IS NULL OR payer = ?) ORDER BY rowid DESC LIMIT ?",
        (msisdn, msisdn, limit),
    )
    return [_payment(row) for row in rows]


def _receiver(tx: sqlite3.Connection, shortcode: str) -> Account | None:
    try:
        return accounts.get(tx=tx, shortcode=shortcode)
    except accounts.UnknownShortcode:
        return None


def _own_refusal(
    *, tx: sqlite3.Connection, order: PaymentOrder, account: Account | None, plan: Plan
) -> str | None:
    if account is None:
        return results.NO_OPERATOR
    if plan.result_code not in (None, results.SUCCESS):
        return plan.result_code
    if order.amount_cents > prompts.LARGEST_CENTS:
        return results.ABOVE_MAXIMUM
    if accounts.wallet_cents(tx=tx, msisdn=order.payer) < order.amount_cents:
        return results.INSUFFICIENT_FUNDS
    return None


def _default(*, tx: sqlite3.Connection, payment: Payment) -> str:
    registration = registrations.told_of(tx=tx, paid=payment)
    is_refused = registration is not None and registration.is_refused_by_default
    return results.REFUSED_BY_BUSINESS if is_refused else results.SUCCESS


def _verdict(answer: bytes | None) -> tuple[str | None, str]:
    """Read the answer of a business: a result code and its own identifier, or no code where there is none to read."""
    try:
        content = json.loads(answer or b"")
    except ValueError:
        return None, ""
    code = content.get("ResultCode") if isinstance(content, dict) else None
    if isinstance(code, bool) or not isinstance(code, int | str):
        return None, ""
    if str(code) == results.SUCCESS:
        own_id = content.get("ThirdPartyTransID")
        return results.SUCCESS, own_id[:LONGEST_OWN_ID] if isinstance(own_id, str) else ""
    return (str(code) if str(code) in REFUSALS else results.REFUSED_BY_BUSINESS), ""


def _finish(*, tx: sqlite3.Connection, payment: Payment, result_code: str, now: int) -> None:
    plan = payment.plan
    moved_cents = payment.amount_cents if plan.moved_cents is None else plan.moved_cents
    code = result_code
    if code == results.SUCCESS and accounts.wallet_cents(tx=tx, msisdn=payment.payer) < moved_cents:
        code = results.INSUFFICIENT_FUNDS
    if code == results.SUCCESS:
        _move(tx=tx, payment=payment, moved_cents=moved_cents, now=now)
    else:
        may_succeed = plan.late_success_ms is not None and payment.state is PaymentState.WAITING
        late_at = now + (plan.late_success_ms or 0) if may_succeed else None
        tx.execute(
            "UPDATE payment SET state = 'failed', result_code = ?, result_desc = ?, decided_at = ?, due_at = ? "
            "WHERE receipt = ?",
            (code, results.describe(code=code), now, late_at, payment.receipt),
        )
    if payment.state is PaymentState.WAITING and _receiver(tx, payment.receiver) is not None:
        for extra in plan.extras:
            statements.record_extra(tx=tx, shortcode=payment.receiver, extra=extra, now=now)
    if code == results.SUCCESS:
        notices.confirm(tx=tx, paid=get(tx=tx, receipt=payment.receipt), now=now)


def _move(*, tx: sqlite3.Connection, payment: Payment, moved_cents: int, now: int) -> None:
    accounts.draw_from_wallet(tx=tx, msisdn=payment.payer, amount_cents=moved_cents)
    charge_cents = statements.record_payment(
        tx=tx, paid=payment, receipt=payment.receipt, moved_cents=moved_cents, now=now
    )
    tx.execute(
        "UPDATE payment SET state = 'paid', result_code = ?, result_desc = ?, moved_cents = ?, charge_cents = ?, "
        "decided_at = ?, due_at = NULL WHERE receipt = ?",
        (
            results.SUCCESS,
            results.describe(code=results.SUCCESS),
            moved_cents,
            charge_cents,
            now,
            payment.receipt,
        ),
    )


def _payment(row: sqlite3.Row) -> Payment:
    values = {**dict(row), "plan": plans.load(text=row["plan"]), "state": PaymentState(row["state"])}
    return Payment(**values)
