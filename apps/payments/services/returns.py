"""Money in suspense that a refund carries back: it waits for people again where the refund does not succeed."""

from datetime import datetime

from apps.events.services import outbox
from apps.kit.actors import PROVIDER
from apps.ledger.services import journals
from apps.payments import events, postings
from apps.payments.contracts import InboundStatus, IntentStatus
from apps.payments.models import InboundReceipt, PaymentAttempt, Refund
from apps.payments.services import attempts, disputes, suspense
from apps.payments.services.reports import MoneyUnexplained


def wait_again(refund: Refund, *, reason: str, now: datetime) -> None:
    """
    Have people decide anew about money in suspense whose refund has ended without success; a dispute that lacked it holds it first.

    A receipt that was given back is let go by the attempt that carried it, and may be given to a payment. So may the money of
    a payment whose review a person has closed: it waits under its receipt, in the books too. The caller holds the locks that
    ``sendings.locked`` takes.
    """
    attempt = refund.attempt
    disputes.hold_rest(attempt, now=now)
    if not attempt.is_in_suspense:
        return
    why = f"It could not be given back: {reason}"
    rows = InboundReceipt.objects.locked().select_related("provider_account")
    carried = rows.filter(attempt_id=attempt.id, status=InboundStatus.GIVING_BACK).first()
    if carried is not None and _is_in_review(attempt):
        _let_go(carried, attempt, reason=why, now=now)
        return
    inbound = carried or _given_up(attempt, now=now)
    if inbound is None:
        outbox.publish(events.in_review(attempt), now=now)
        return
    suspense.surrender(inbound, attempt, reason=why, now=now)
    outbox.publish(events.about_money(events.MONEY_UNMATCHED, inbound), now=now)
    if draft := postings.surrender(inbound, attempt, after=refund):
        journals.post(draft=draft, actor=PROVIDER, now=now)


def _is_in_review(attempt: PaymentAttempt) -> bool:
    """Say whether the payment of an attempt is in review with its money: none that a person has closed since, nor that other money paid."""
    intent = attempt.intent
    return intent.status == IntentStatus.IN_REVIEW and intent.current_attempt_id == attempt.id


def _let_go(carried: InboundReceipt, attempt: PaymentAttempt, *, reason: str, now: datetime) -> None:
    carried.come_back(reason=reason)
    carried.save_progress()
    attempt.provider_receipt = ""
    attempt.save_progress()
    outbox.publish(events.about_money(events.MONEY_UNMATCHED, carried), now=now)


def _given_up(attempt: PaymentAttempt, *, now: datetime) -> InboundReceipt | None:
    """
    Return the row under which the money waits of a payment that was closed after it had gone back; None for any other, and
    where another sum is told of under its receipt.
    """
    if attempt.intent.status != IntentStatus.FAILED:
        return None
    inbound = suspense.row_of(attempt, now=now)
    return inbound if inbound.money == attempt.received else None


def carrier(inbound: InboundReceipt) -> PaymentAttempt | None:
    """
    Return, locked, the attempt that carried this money before, with its receipt again; None for the first time, or where
    a person has closed its payment since.
    """
    before = Refund.objects.filter(
        provider_account_id=inbound.provider_account_id,
        payment_receipt=inbound.receipt,
        attempt__provider_receipt="",
    )
    attempt_id = (
        before.filter(intent__status=IntentStatus.IN_REVIEW).values_list("attempt_id", flat=True).first()
    )
    if attempt_id is None:
        return None
    attempt = attempts.locked(attempt_id)
    if attempt.intent.status != IntentStatus.IN_REVIEW:
        return None
    attempt.provider_receipt = inbound.receipt
    attempt.save_progress()
    return attempt


def went_after_all(refund: Refund, *, now: datetime) -> None:
    """
    Take money out of what waits, for it has gone back by a refund that was said to have failed.

    It waits because a receipt's carrier has let it go, or because a person has closed the review of its payment without it.
    Raises MoneyUnexplained where it has been given to a payment since. The caller holds the locks.
    """
    attempt = refund.attempt
    if attempt.provider_receipt and attempt.surrendered_at is None:
        return
    inbound = suspense.regained(refund.provider, refund.payment_receipt, now=now)
    if inbound is None:
        raise MoneyUnexplained(f"Receipt {refund.payment_receipt} has been given to another payment since.")
    inbound.give_back(attempt=attempt, by=str(PROVIDER), at=now)
    inbound.save_progress()
    draft = postings.return_of_surrender(inbound, refund) if attempt.surrendered_at else None
    attempt.carry(inbound.receipt)
    attempt.save_progress()
    outbox.publish(events.about_money(events.MONEY_MATCHED, inbound), now=now)
    if draft is not None:
        journals.post(draft=draft, actor=PROVIDER, now=now)
