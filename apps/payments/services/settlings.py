"""The moment when money settles a payment: attempt, intent, events and booking, in one step."""

from collections.abc import Sequence
from datetime import datetime

from apps.events.contracts import NewEvent
from apps.events.services import outbox
from apps.integrations.ports import CapturePort, CollectionReport
from apps.integrations.services import providers
from apps.kit import faults, jobs
from apps.kit.actors import Actor
from apps.ledger.services.refusals import AccountClosed, AccountFrozen
from apps.payments import events
from apps.payments.contracts import LateMoney
from apps.payments.models import InboundReceipt, PaymentAttempt
from apps.payments.selectors import policies
from apps.payments.services import bookings, payables, polling, suspense, verdict_answers


def take(
    attempt: PaymentAttempt,
    report: CollectionReport,
    *,
    held: InboundReceipt | None,
    announced: Sequence[NewEvent] = (),
    is_decided: bool = False,
    actor: Actor,
    now: datetime,
) -> None:
    """
    Book the money of an attempt that was asked for or has just been made; the caller holds the locks.

    ``held`` is the money, where it waits in suspense: then it is moved from there, and not booked again. Late money does
    what the organisation's terms say: it pays, or waits in suspense, or is given back from there; where a person has decided
    (``is_decided``), it pays. Money for a payable that another payment has paid is late, and never pays, nor does more than is due
    of a payment that was paid in part. An attempt that its payer is still asked by is let go, where its rail can.
    """
    intent = attempt.intent
    is_paid = intent.is_done or attempt.money > intent.due or payables.is_paid_otherwise(intent)
    asks = (intent.is_closed_unpaid or (is_paid and not intent.is_settled)) and not is_decided
    late_money = policies.current().late_money if asks else LateMoney.ACCEPT
    fee = held.fee if held else attempt.provider_account.fee(report.money or attempt.expected)
    is_put_aside = is_paid or late_money is not LateMoney.ACCEPT
    attempt.book(report=report, fee=fee, is_put_aside=is_put_aside, at=now)
    if attempt.is_incomplete:
        attempt.next_query_at = now + polling.PAUSE
    attempt.refund_due_at = now if late_money is LateMoney.REFUND else None
    if attempt._state.adding:
        attempt.save(force_insert=True)
    else:
        attempt.save_progress()
        verdict_answers.heed(attempt, actor=actor, now=now)
    superseded = intent.current_attempt if intent.current_attempt_id != attempt.id else None
    intent.settle(attempt=attempt, at=now)
    intent.save_progress()
    if superseded is not None and superseded.is_live and providers.offers(superseded.provider, CapturePort):
        jobs.enqueue("payments.order_attempt", attempt_id=superseded.id)
    if superseded is not None:
        verdict_answers.spare(superseded, now=now)
    outbox.publish(*announced, *events.settled(attempt), now=now)
    if attempt.refund_due_at is not None:
        jobs.enqueue("payments.sweep_organisation", deed="refund_late", row_id=attempt.id)
    faults.reach("payments.before_posting")
    # The last step: balances, which every payment of the branch shares, stay locked until the commit.
    if held is not None:
        suspense.explain(held, attempt=attempt, actor=actor, now=now)
    else:
        _book(attempt, actor=actor, now=now)


def _book(attempt: PaymentAttempt, *, actor: Actor, now: datetime) -> None:
    """
    Book the money where it belongs, or in suspense, for a person to look at, where that account takes nothing any more: the payment
    has succeeded all the same, for its payer has paid. A part is counted by what is booked of it, and so never put aside here.
    """
    try:
        bookings.collection(attempt, actor=actor, now=now)
    except (AccountClosed, AccountFrozen):
        if attempt.is_in_suspense or attempt.intent.is_in_parts:
            raise
        attempt.is_in_suspense = True
        attempt.save_progress()
        outbox.publish(events.in_review(attempt), now=now)
        bookings.collection(attempt, actor=actor, now=now)
