"""Bookings of money that a provider may have converted: the legs of its exchange are found as they are booked."""

from datetime import datetime

from apps.kit.actors import Actor
from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, AccountRole, Leg
from apps.ledger.selectors import accounts
from apps.ledger.services import exchanges, journals
from apps.payments import postings
from apps.payments.models import PaymentAttempt, PaymentIntent, Refund
from apps.payments.postings import Inflow


def takes_parts_of(intent: PaymentIntent) -> bool:
    """Say whether the account takes anything into which the money of a payment goes."""
    ref = AccountRef(AccountRole.UNAPPLIED_COLLECTIONS, intent.currency, intent.branch_id)
    return accounts.takes_postings(ref)


def collection(attempt: PaymentAttempt, *, actor: Actor, now: datetime) -> None:
    """Book the money of an attempt; the last step, for balances that all payments share stay locked until the commit."""
    carried = _carried_in(attempt, now=now)
    journals.post(draft=postings.collection(attempt, carried=carried), actor=actor, now=now)


def completion(attempt: PaymentAttempt, *, assumed: Inflow, actor: Actor, now: datetime) -> None:
    """Book what a provider told only now of its fee, and of a conversion; nothing where it is as was assumed."""
    draft = postings.completion(attempt, assumed=assumed, carried=_carried_in(attempt, now=now))
    if draft is not None:
        journals.post(draft=draft, actor=actor, now=now)


def refund(refund: Refund, *, actor: Actor, now: datetime) -> None:
    """Book money that went back; its attempt counts it already."""
    taken = refund.settled or refund.money
    carried: tuple[Leg, ...] = ()
    if refund.settled is not None:
        carried = exchanges.carried(
            given=taken, got=refund.money, branch_id=refund.provider_account.branch_id, now=now
        )
    journals.post(draft=postings.refund(refund, taken=taken, carried=carried), actor=actor, now=now)


def share_of(refund: Refund) -> Money | None:
    """
    Return what a refund takes of our balance where its payment was converted and the provider does not tell: its share of what
    was credited, the last one all that is left. None where nothing was converted.
    """
    attempt = refund.attempt
    settled, received = attempt.settled, attempt.received
    if settled is None or received is None:
        return None
    others = attempt.refunds.filter(refunded_at__isnull=False, came_back_at__isnull=True).exclude(
        id=refund.id
    )
    before = sum(minor or 0 for minor in others.values_list("settled_minor", flat=True))
    left = Money(max(settled.minor - before, 0), settled.currency)
    if attempt.refunded_minor + refund.amount_minor >= received.minor:
        return left
    share = settled.allocate([refund.amount_minor, received.minor - refund.amount_minor])[0]
    return min(share, left)


def _carried_in(attempt: PaymentAttempt, *, now: datetime) -> tuple[Leg, ...]:
    inflow = Inflow.of(attempt)
    if not inflow.is_converted:
        return ()
    return exchanges.carried(
        given=inflow.received, got=inflow.credited, branch_id=attempt.provider_account.branch_id, now=now
    )
