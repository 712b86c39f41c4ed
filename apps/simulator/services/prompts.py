"""Prompts on phones: opened by a business, decided once by a person, a plan or the passing of time."""

import sqlite3
from dataclasses import replace

from apps.simulator.contracts import PaymentState, Plan, Prompt, PromptOrder
from apps.simulator.services import (
    accounts,
    callbacks,
    identifiers,
    notices,
    payloads,
    plans,
    results,
    statements,
)
from apps.simulator.services.clock import moment

LIFE_MS = 60_000
LARGEST_CENTS = 250_000_00


class UnknownPrompt(Exception):
    """There is no such prompt."""


class AlreadyDecided(Exception):
    """The prompt has its outcome; nothing was changed."""


def open_prompt(*, tx: sqlite3.Connection, order: PromptOrder, plan: Plan, now: int) -> Prompt:
    """Show a prompt on a phone; what M-Pesa itself declines is declined two seconds later."""
    business = accounts.get(tx=tx, shortcode=order.shortcode)
    prompt_id = identifiers.checkout_request(tx=tx, msisdn=order.msisdn)
    result_code = _own_refusal(tx=tx, order=order) or plan.result_code
    expires_at = now + LIFE_MS
    decides_at = expires_at if result_code is None else now + plan.result_after_ms
    tx.execute(
        """
        INSERT INTO prompt (id, merchant_request_id, conversation_id, shortcode, receiver, business_name,
                            transaction_type, payer, msisdn, amount_cents, reference, description, callback_url,
                            plan, state, created_at, expires_at, due_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?, ?)
        """,
        (
            prompt_id,
            identifiers.merchant_request(tx=tx),
            identifiers.conversation(tx=tx, day=moment(at=now).strftime("%Y%m%d")),
            order.shortcode,
            order.receiver,
            business.name,
            order.transaction_type,
            order.payer,
            order.msisdn,
            order.amount_cents,
            order.reference,
            order.description,
            order.callback_url,
            plans.dump(plan=replace(plan, result_code=result_code)),
            now,
            expires_at,
            decides_at,
        ),
    )
    return get(tx=tx, prompt_id=prompt_id)


def decide(*, tx: sqlite3.Connection, prompt_id: str, result_code: str, now: int) -> Prompt:
    """
    Give a waiting prompt its outcome, move the money if it is a success, and owe the callback.

    Approving without enough in the wallet ends as a failure. Raises UnknownPrompt, and AlreadyDecided
    for all but the first decision.
    """
    prompt = get(tx=tx, prompt_id=prompt_id)
    if prompt.state is not PaymentState.WAITING:
        raise AlreadyDecided(prompt_id)
    _finish(tx=tx, prompt=prompt, result_code=result_code, now=now)
    return get(tx=tx, prompt_id=prompt_id)


def ignore(*, tx: sqlite3.Connection, prompt_id: str) -> Prompt:
    """Put the phone away: the prompt leaves the screen and runs out of time by itself."""
    prompt = get(tx=tx, prompt_id=prompt_id)
    if prompt.state is not PaymentState.WAITING:
        raise AlreadyDecided(prompt_id)
    tx.execute("UPDATE prompt SET is_ignored = 1 WHERE id = ?", (prompt_id,))
    return get(tx=tx, prompt_id=prompt_id)


def settle_next(*, tx: sqlite3.Connection) -> None:
    """Decide the prompt that falls due next, at the time when it does."""
    row = tx.execute(
        "SELECT * FROM prompt WHERE due_at IS NOT NULL ORDER BY due_at, rowid LIMIT 1"
    ).fetchone()
    prompt = _prompt(row)
    is_late_success = prompt.state is PaymentState.FAILED
    result_code = results.SUCCESS if is_late_success else prompt.plan.result_code or results.UNREACHABLE
    _finish(tx=tx, prompt=prompt, result_code=result_code, now=row["due_at"])


def next_due(*, tx: sqlite3.Connection) -> int | None:
    """Return when the next prompt decides itself."""
    return tx.execute("SELECT min(due_at) FROM prompt WHERE due_at IS NOT NULL").fetchone()[0]


def get(*, tx: sqlite3.Connection, prompt_id: str) -> Prompt:
    """Return the prompt, or raise UnknownPrompt."""
    row = tx.execute("SELECT * FROM prompt WHERE id = ?", (prompt_id,)).fetchone()
    if row is None:
        raise UnknownPrompt(prompt_id)
    return _prompt(row)


def find(*, tx: sqlite3.Connection, receipt: str, conversation: str, shortcode: str) -> Prompt | None:
    """Return a shortcode's prompt by receipt, or by any identifier of its conversation."""
    row = tx.execute(
        "SELECT * FROM prompt WHERE receiver = ? AND "
        "CASE WHEN ? <> '' THEN receipt = ? ELSE ? IN (merchant_request_id, conversation_id, id) END",
        (shortcode, receipt, receipt, conversation),
    ).fetchone()
    return None if row is None else _prompt(row)


def by_receipt(*, tx: sqlite3.Connection, receipt: str) -> Prompt | None:
    """Return the prompt that a receipt belongs to, whoever was paid."""
    row = tx.execute("SELECT * FROM prompt WHERE receipt = ?", (receipt,)).fetchone()
    return None if row is None else _prompt(row)


def newest(*, tx: sqlite3.Connection, msisdn: str | None = None, limit: int = 200) -> list[Prompt]:
    """Return the latest prompts of one phone or of all, newest first."""
    rows = tx.execute(
        "SELECT * FROM prompt WHERE (? IS NULL OR msisdn = ?) ORDER BY rowid DESC LIMIT ?",
        (msisdn, msisdn, limit),
    )
    return [_prompt(row) for row in rows]


def _own_refusal(*, tx: sqlite3.Connection, order: PromptOrder) -> str | None:
    if order.amount_cents > LARGEST_CENTS:
        return results.ABOVE_MAXIMUM
    try:
        receiver = accounts.get(tx=tx, shortcode=order.receiver)
    except accounts.UnknownShortcode:
        return results.NO_OPERATOR
    sender = accounts.get(tx=tx, shortcode=order.shortcode)
    is_bill = order.transaction_type == "CustomerPayBillOnline"
    is_own = receiver.shortcode == sender.shortcode or (
        not is_bill and receiver.consumer_key == sender.consumer_key
    )
    if is_own and is_bill == (receiver.type == "paybill"):
        return None
    return results.NOT_PERMITTED


def _finish(*, tx: sqlite3.Connection, prompt: Prompt, result_code: str, now: int) -> None:
    moved_cents = prompt.amount_cents if prompt.plan.moved_cents is None else prompt.plan.moved_cents
    code = result_code
    if code == results.SUCCESS and accounts.wallet_cents(tx=tx, msisdn=prompt.payer) < moved_cents:
        code = results.INSUFFICIENT_FUNDS
    if code == results.SUCCESS:
        _move(tx=tx, prompt=prompt, moved_cents=moved_cents, now=now)
    else:
        may_succeed = prompt.plan.late_success_ms is not None and prompt.state is PaymentState.WAITING
        late_at = now + (prompt.plan.late_success_ms or 0) if may_succeed else None
        tx.execute(
            "UPDATE prompt SET state = 'failed', result_code = ?, result_desc = ?, decided_at = ?, due_at = ? "
            "WHERE id = ?",
            (code, results.describe(code=code), now, late_at, prompt.id),
        )
    for extra in prompt.plan.extras if prompt.state is PaymentState.WAITING else ():
        statements.record_extra(tx=tx, shortcode=prompt.receiver, extra=extra, now=now)
    decided = get(tx=tx, prompt_id=prompt.id)
    callbacks.queue(
        tx=tx,
        cause=prompt.id,
        kind="stk",
        url=prompt.callback_url,
        payload=payloads.stk_callback(prompt=decided),
        delivery=prompt.plan.callback,
        now=now,
    )
    if decided.state is PaymentState.PAID:
        notices.confirm(tx=tx, paid=decided, now=now)


def _move(*, tx: sqlite3.Connection, prompt: Prompt, moved_cents: int, now: int) -> None:
    receipt = identifiers.receipt(tx=tx)
    accounts.draw_from_wallet(tx=tx, msisdn=prompt.payer, amount_cents=moved_cents)
    charge_cents = statements.record_payment(
        tx=tx, paid=prompt, receipt=receipt, moved_cents=moved_cents, now=now
    )
    tx.execute(
        "UPDATE prompt SET state = 'paid', result_code = ?, result_desc = ?, receipt = ?, moved_cents = ?, "
        "charge_cents = ?, decided_at = ?, due_at = NULL WHERE id = ?",
        (
            results.SUCCESS,
            results.describe(code=results.SUCCESS),
            receipt,
            moved_cents,
            charge_cents,
            now,
            prompt.id,
        ),
    )


def _prompt(row: sqlite3.Row) -> Prompt:
    plan = plans.load(text=row["plan"])
    values = {**dict(row), "plan": plan, "state": PaymentState(row["state"]), "receipt": row["receipt"] or ""}
    return Prompt(**{**values, "is_ignored": bool(row["is_ignored"])})
