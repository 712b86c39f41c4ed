"""Money in suspense: put aside under its receipt, and taken from there once its payment is known."""

from datetime import datetime

from apps.access.selectors import applications, memberships
from apps.events.services import outbox
from apps.kit import ids, jobs, locks
from apps.kit.actors import PROVIDER, Actor
from apps.kit.compiled import Compiled
from apps.ledger.contracts import Draft
from apps.ledger.services import journals
from apps.payments import events, postings
from apps.payments.contracts import RESOLVE, InboundSource, InboundStatus
from apps.payments.models import Dispute, InboundReceipt, PaymentAttempt, PaymentIntent
from apps.payments.models.inbound import reference_key
from apps.payments.postings import disputes as loss_postings
from apps.payments.services import payers

UNCONFIRMED = "The provider is asked whether this money has come."

_HELD = Compiled(
    lambda provider, receipt: (
        InboundReceipt.objects.locked()
        .known()
        .select_related("provider_account")
        .filter(provider=provider, receipt=receipt)
        .order_by("id")[:1]
    ),
    str,
    str,
)


def only(receipt: str) -> None:
    """Let nobody else record anything under a receipt number until the transaction ends; nothing for none."""
    if receipt:
        locks.advisory(f"payments:receipt:{receipt}")


def held(provider: str, receipt: str) -> InboundReceipt | None:
    """Return, locked, what waits in suspense under a receipt of this provider; the caller holds the receipt's lock."""
    found = _HELD.first(provider, receipt) if receipt else None
    return found if found is not None and found.is_waiting else None


def regained(provider: str, receipt: str, *, now: datetime) -> InboundReceipt | None:
    """
    Return, locked, what waits in suspense under a receipt of this provider, or waits there again, for a lost dispute had taken
    it: what becomes of it now is booked from suspense, and the loss is a loss. The caller holds the receipt's lock.
    """
    found = _HELD.first(provider, receipt) if receipt else None
    if found is not None and found.taken_by_id is not None:
        dispute = Dispute.objects.locked().get(id=found.taken_by_id)
        draft = restore(dispute, found, why="It is of a payment after all.")
        journals.post(draft=draft, actor=PROVIDER, now=now)
    return found


def taken_by(dispute: Dispute) -> InboundReceipt | PaymentAttempt | None:
    """Return, locked, the receipt that a dispute took from suspense, else the attempt whose money that was."""
    taken = InboundReceipt.objects.locked().filter(taken_by=dispute)
    return taken.first() or dispute.attempt


def restore(dispute: Dispute, held: InboundReceipt | PaymentAttempt, *, why: str) -> Draft:
    """
    Owe money in suspense again that a dispute had taken from there, and return what is to be booked of it, once all else is
    written. The caller holds the locks of the receipt, of the dispute and of what holds the money.
    """
    money = dispute.covered
    if isinstance(held, InboundReceipt):
        held.wait_again(reason=why)
        held.save_progress()
    dispute.cover(0)
    dispute.save(update_fields=["covered_minor", "bookings"])
    return loss_postings.uncover(dispute, held, money)


def was_decided(receipt: str) -> bool:
    """Say whether a person decided about money under this receipt."""
    decided = [InboundStatus.ASSIGNED, InboundStatus.GIVING_BACK]
    return InboundReceipt.objects.filter(receipt=receipt, status__in=decided).exists()


def hold(
    inbound: InboundReceipt,
    *,
    reason: str,
    doubled: PaymentIntent | None,
    is_duplicate: bool,
    actor: Actor,
    now: datetime,
) -> None:
    """Book money to suspense, give it an owner and say so; nothing has been booked of it before."""
    inbound.application = doubled.application if doubled else applications.portal()
    owner = memberships.first_with(RESOLVE, branch_id=inbound.branch_id)
    inbound.hold(
        reason=reason,
        fee=inbound.provider_account.fee(inbound.money),
        owner_id=owner.id if owner else None,
        doubled=doubled,
        is_duplicate=is_duplicate,
        at=now,
    )
    inbound.save()
    outbox.publish(events.about_money(events.MONEY_UNMATCHED, inbound), now=now)
    journals.post(draft=postings.inbound(inbound), actor=actor, now=now)


def await_confirmation(inbound: InboundReceipt, *, now: datetime) -> None:
    """Keep new money, booked nowhere, until the provider has confirmed it, and have it asked; nothing is written of it yet."""
    inbound.application = applications.portal()
    owner = memberships.first_with(RESOLVE, branch_id=inbound.branch_id)
    inbound.owner = owner
    inbound.await_confirmation(token=ids.token(), reason=UNCONFIRMED, at=now)
    inbound.save(force_insert=True)
    outbox.publish(events.about_money(events.MONEY_UNCONFIRMED, inbound), now=now)
    jobs.enqueue("payments.confirm_money", inbound_id=inbound.id)


def explain(inbound: InboundReceipt, *, attempt: PaymentAttempt, actor: Actor, now: datetime) -> None:
    """Move money out of suspense to the payment that it is of; the caller has written the attempt down as booked."""
    if inbound.is_waiting:
        inbound.match(attempt=attempt, at=now)
    inbound.save_progress()
    outbox.publish(events.about_money(events.MONEY_MATCHED, inbound), now=now)
    draft = postings.explanation(inbound, attempt)
    if draft is not None:
        journals.post(draft=draft, actor=actor, now=now)


def row_of(attempt: PaymentAttempt, *, now: datetime) -> InboundReceipt:
    """
    Return, locked, the row of the receipt of an attempt, else a new one, not written yet, for money of which only the attempt was
    told; the caller holds the locks.
    """
    rows = InboundReceipt.objects.locked().select_related("provider_account")
    named = rows.filter(provider=attempt.provider, receipt=attempt.provider_receipt)
    return named.first() or _untold(attempt, now=now)


def _untold(attempt: PaymentAttempt, *, now: datetime) -> InboundReceipt:
    money = attempt.received
    if money is None:
        raise ValueError(f"attempt {attempt.id} has no money to take from it")
    return InboundReceipt(
        provider_account=attempt.provider_account,
        branch_id=attempt.provider_account.branch_id,
        provider=attempt.provider,
        receipt=attempt.provider_receipt,
        amount_minor=money.minor,
        currency=money.currency,
        reference=attempt.code,
        reference_key=reference_key(attempt.code),
        payer=payers.of_attempt(attempt),
        payer_name=attempt.intent.payer_name,
        sources=[InboundSource.ATTEMPT.value],
        occurred_at=attempt.occurred_at,
        received_at=attempt.booked_at or now,
    )


def surrender(inbound: InboundReceipt, attempt: PaymentAttempt, *, reason: str, now: datetime) -> None:
    """
    Have the money of an attempt wait under its receipt, at the account that was told of it; the caller holds the locks, says so
    and books what that moves.
    """
    owner = memberships.first_with(RESOLVE, branch_id=inbound.branch_id)
    inbound.take_from(attempt, reason=reason, owner_id=owner.id if owner else None, at=now)
    inbound.save()
    attempt.surrender(at=now)
    attempt.save_progress()


def release(inbound: InboundReceipt, *, attempt: PaymentAttempt, actor: Actor, now: datetime) -> None:
    """
    Book money that had been taken for that of an attempt, whose receipt is another: nothing explains it.

    It is of no payment that is known, so what a later message adds may tell whose it is, as of all money that waits.
    """
    owner = memberships.first_with(RESOLVE, branch_id=inbound.branch_id)
    reason = (
        f"It was taken for that of {attempt.code}, which was paid under receipt {attempt.provider_receipt}."
    )
    inbound.take_from(attempt, reason=reason, owner_id=owner.id if owner else None, at=now)
    inbound.intent = None
    inbound.application = applications.portal()
    inbound.save_progress()
    outbox.publish(events.about_money(events.MONEY_UNMATCHED, inbound), now=now)
    journals.post(draft=postings.inbound(inbound), actor=actor, now=now)


def retract(inbound: InboundReceipt, *, attempt: PaymentAttempt, actor: Actor, now: datetime) -> None:
    """Take back the booking of money that this attempt had booked before anybody knew its receipt."""
    inbound.retract(attempt=attempt, at=now)
    inbound.save_progress()
    outbox.publish(events.about_money(events.MONEY_MATCHED, inbound), now=now)
    journals.post(draft=postings.retraction(inbound), actor=actor, now=now)
