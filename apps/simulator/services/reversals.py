"""Reversals: a business gives a whole payment back to its payer; decided once, two seconds later."""

import sqlite3
from dataclasses import replace

from apps.simulator.contracts import Plan, Reversal, ReversalOrder, ReversalState
from apps.simulator.services import (
    accounts,
    callbacks,
    identifiers,
    payloads,
    payments,
    plans,
    results,
    statements,
)
from apps.simulator.services.clock import moment


def open_reversal(
    *, tx: sqlite3.Connection, order: ReversalOrder, is_trusted: bool, plan: Plan, now: int
) -> Reversal:
    """Accept a request; what M-Pesa declines, it declines with the result."""
    reversal_id = identifiers.merchant_request(tx=tx)
    payment = payments.by_receipt(tx=tx, receipt=order.receipt)
    result_code = _own_refusal(tx=tx, order=order, is_trusted=is_trusted) or plan.result_code
    wait_ms = plan.result_after_ms if plan.queue_timeout_ms is None else plan.queue_timeout_ms
    tx.execute(
        """
        INSERT INTO reversal (id, conversation_id, shortcode, original_receipt, payer, amount_cents, result_url,
                              timeout_url, plan, state, created_at, due_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?)
        """,
        (
            reversal_id,
            identifiers.conversation(tx=tx, day=moment(at=now).strftime("%Y%m%d")),
            order.shortcode,
            order.receipt,
            payment.payer if payment else "",
            order.amount_cents,
            order.result_url,
            order.timeout_url,
            plans.dump(plan=replace(plan, result_code=result_code)),
            now,
            now + wait_ms,
        ),
    )
    return get(tx=tx, reversal_id=reversal_id)


def settle_next(*, tx: sqlite3.Connection) -> None:
    """Decide the reversal that falls due next, at the time when it does."""
    row = tx.execute(
        "SELECT * FROM reversal WHERE due_at IS NOT NULL ORDER BY due_at, rowid LIMIT 1"
    ).fetchone()
    reversal = _reversal(row)
    is_late_success = reversal.state is ReversalState.FAILED
    plan = reversal.plan
    result_code = results.SUCCESS if is_late_success else plan.result_code or results.SUCCESS
    if plan.queue_timeout_ms is not None and not plan.is_moved_despite_timeout and not is_late_success:
        result_code = results.EXPIRED
    _finish(tx=tx, reversal=reversal, result_code=result_code, now=row["due_at"])


def next_due(*, tx: sqlite3.Connection) -> int | None:
    """Return when the next reversal is decided."""
    return tx.execute("SELECT min(due_at) FROM reversal WHERE due_at IS NOT NULL").fetchone()[0]


def get(*, tx: sqlite3.Connection, reversal_id: str) -> Reversal:
    """Return a reversal that exists."""
    return _reversal(tx.execute("SELECT * FROM reversal WHERE id = ?", (reversal_id,)).fetchone())


def find(*, tx: sqlite3.Connection, receipt: str, conversation: str, shortcode: str) -> Reversal | None:
    """Return a shortcode's reversal by its own receipt, or by an identifier of its conversation."""
    row = tx.execute(
        "SELECT * FROM reversal WHERE shortcode = ? AND "
        "CASE WHEN ? <> '' THEN receipt = ? ELSE ? IN (id, conversation_id) END",
        (shortcode, receipt, receipt, conversation),
    ).fetchone()
    return None if row is None else _reversal(row)


def newest(*, tx: sqlite3.Connection, limit: int = 200) -> list[Reversal]:
    """Return the latest reversals, newest first."""
    rows = tx.execute("SELECT * FROM reversal ORDER BY rowid DESC LIMIT ?", (limit,))
    return [_reversal(row) for row in rows]


def _own_refusal(*, tx: sqlite3.Connection, order: ReversalOrder, is_trusted: bool) -> str | None:
    if not is_trusted:
        return results.WRONG_PIN
    payment = payments.find(tx=tx, receipt=order.receipt, conversation="", shortcode=order.shortcode)
    if payment is None:
        return results.UNKNOWN_TRANSACTION
    return None if order.amount_cents == payment.moved_cents else results.NOT_PERMITTED


def _finish(*, tx: sqlite3.Connection, reversal: Reversal, result_code: str, now: int) -> None:
    plan = reversal.plan
    moved_cents = reversal.amount_cents if plan.moved_cents is None else plan.moved_cents
    code = result_code
    if code == results.SUCCESS:
        code = _refusal_now(tx=tx, reversal=reversal, moved_cents=moved_cents) or code
    if code == results.SUCCESS:
        _move(tx=tx, reversal=reversal, moved_cents=moved_cents, now=now)
    else:
        may_succeed = plan.late_success_ms is not None and reversal.state is ReversalState.WAITING
        late_at = now + (plan.late_success_ms or 0) if may_succeed else None
        tx.execute(
            "UPDATE reversal SET state = 'failed', result_code = ?, decided_at = ?, due_at = ? WHERE id = ?",
            (code, now, late_at, reversal.id),
        )
    for extra in plan.extras if reversal.state is ReversalState.WAITING else ():
        statements.record_extra(tx=tx, shortcode=reversal.shortcode, extra=extra, now=now)
    _announce(tx=tx, reversal=get(tx=tx, reversal_id=reversal.id), was=reversal.state, now=now)


def _refusal_now(*, tx: sqlite3.Connection, reversal: Reversal, moved_cents: int) -> str | None:
    earlier = tx.execute(
        "SELECT 1 FROM reversal WHERE original_receipt = ? AND state = 'done'", (reversal.original_receipt,)
    ).fetchone()
    if earlier is not None:
        return results.ALREADY_REVERSED
    balance_cents = accounts.get(tx=tx, shortcode=reversal.shortcode).balance_cents
    return results.INSUFFICIENT_FUNDS if balance_cents < moved_cents else None


def _move(*, tx: sqlite3.Connection, reversal: Reversal, moved_cents: int, now: int) -> None:
    receipt = identifiers.receipt(tx=tx)
    accounts.return_to_wallet(tx=tx, msisdn=reversal.payer, amount_cents=moved_cents)
    statements.record_reversal(tx=tx, reversal=reversal, receipt=receipt, moved_cents=moved_cents, now=now)
    tx.execute(
        "UPDATE reversal SET state = 'done', result_code = ?, receipt = ?, moved_cents = ?, decided_at = ?, "
        "due_at = NULL WHERE id = ?",
        (results.SUCCESS, receipt, moved_cents, now, reversal.id),
    )


def _announce(*, tx: sqlite3.Connection, reversal: Reversal, was: ReversalState, now: int) -> None:
    """Owe the result, or the message of the queue that gave up; a late success always has a result."""
    if reversal.plan.queue_timeout_ms is not None and was is ReversalState.WAITING:
        kind, url = "timeout", reversal.timeout_url
        payload = payloads.timed_out(originator=reversal.id, conversation=reversal.conversation_id)
    else:
        kind, url = "reversal", reversal.result_url
        balance_cents = accounts.get(tx=tx, shortcode=reversal.shortcode).balance_cents
        payload = payloads.reversal_result(reversal=reversal, balance_cents=balance_cents)
    callbacks.queue(
        tx=tx,
        cause=reversal.id,
        kind=kind,
        url=url,
        payload=payload,
        delivery=reversal.plan.callback,
        now=now,
    )


def _reversal(row: sqlite3.Row) -> Reversal:
    values = {
        **dict(row),
        "plan": plans.load(text=row["plan"]),
        "state": ReversalState(row["state"]),
        "receipt": row["receipt"] or "",
    }
    return Reversal(**values)
