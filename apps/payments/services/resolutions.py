"""What people decide about money in suspense: whose it is, that it goes back, and who looks after it."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from apps.access.selectors import limits as amount_limits
from apps.access.selectors import memberships
from apps.audit.services import records
from apps.events.services import outbox
from apps.integrations.ports import CollectionReport, Outcome
from apps.integrations.selectors import accounts
from apps.kit import errors, ids
from apps.kit.actors import Actor, ActorKind
from apps.payments import events
from apps.payments.contracts import METHODS, RESOLVE
from apps.payments.models import Dispute, InboundReceipt, PaymentAttempt, PaymentIntent, Refund
from apps.payments.services import (
    attempts,
    payables,
    refund_limits,
    refunds,
    returns,
    settlings,
    silent,
    suspense,
)

if TYPE_CHECKING:  # another app's model
    from apps.access.models import Membership

UNASKED = "Money that came unasked and goes back"


class NotWaiting(errors.DomainError):
    """Somebody, or a later message, has decided about this money."""

    code = "money_not_waiting"
    title = "Not waiting any more"


class MayBeOfAnother(errors.DomainError):
    """A payment without an end may be paid by this money: give it to that one, or wait for its end, a day at most."""

    code = "money_may_be_of_another"
    title = "May be of another payment"
    retryable = True


class DoesNotFit(errors.DomainError):
    """The money cannot be given to this payment: another sum or currency, or it has been paid."""

    code = "money_does_not_fit"
    title = "Does not fit"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, errors=[errors.FieldError("/payment_id", self.code, detail)])


class NotAble(errors.Invalid):
    """Who is to look after the money may not decide about it."""

    code = "money_owner_not_able"
    title = "Not able to decide"

    def __init__(self) -> None:
        detail = "This person may not decide about money in suspense of this branch."
        super().__init__(detail, errors=[errors.FieldError("/member", self.code, detail)])


@transaction.atomic
def assign(*, inbound_id: UUID, intent_id: UUID, reason: str, actor: Actor, now: datetime) -> InboundReceipt:
    """
    Give money in suspense to the payment that it is of, which it settles whatever became of that, or pays a part of where the
    organisation takes parts: Dr suspense, Cr unapplied collections.

    An attempt of the payment that was confirmed without a receipt, or that has no end and may be of this money, learns it so:
    what the provider says of that one later is of this money and books nothing again. Raises NotFound, NotWaiting, DoesNotFit,
    MayBeOfAnother, PaymentDisputed, LimitExceeded and ReasonMissing, and then nothing is written. Locks the receipt, then the intent.
    """
    reason = refund_limits.check_reason(reason)
    inbound = _waiting(inbound_id)
    asked = _asked(inbound, intent_id, now=now)
    intent = asked.intent if asked else PaymentIntent.objects.locked().filter(id=intent_id).first()
    if intent is None:
        raise errors.NotFound("There is no such payment.")
    _require_nobody_else(inbound, but=intent_id, actor=actor, now=now)
    _require_undisputed(inbound)
    if intent.is_done:
        raise DoesNotFit("This payment has been paid.")
    if payables.is_paid_otherwise(intent):
        raise DoesNotFit(payables.PAID_OTHERWISE)
    if not payables.is_paid_by(intent, inbound.money):
        raise DoesNotFit(f"The payment asks for {intent.due}; {inbound.money} arrived.")
    amount_limits.require_may_ask(actor=actor, money=inbound.money)
    announced = attempts.initiation(asked, now=now) if asked else []
    attempt = asked or attempts.made(
        intent, account=inbound.provider_account, phone=intent.payer_phone, now=now, part=inbound.money
    )
    before = inbound.status
    inbound.assign(attempt=attempt, by=str(actor), at=now)
    _audit("money.assigned", inbound, before=before, reason=reason, actor=actor, now=now)
    settlings.take(
        attempt,
        _report(inbound),
        held=inbound,
        announced=announced,
        is_decided=True,
        actor=actor,
        now=now,
    )
    return inbound


@transaction.atomic
def give_back(*, inbound_id: UUID, reason: str, actor: Actor, now: datetime) -> Refund:
    """
    Send money in suspense back to who paid it, as a refund: other people decide first where a rule asks for that.

    The money stays in suspense until it has gone, carried by a payment in review that is made for it, and waits again
    where the refund does not succeed. Raises NotFound, NotWaiting, MayBeOfAnother, PaymentDisputed, and what ``refunds.give_back`` raises.
    Locks the receipt.
    """
    reason = refund_limits.check_reason(reason)
    inbound = _waiting(inbound_id)
    _require_nobody_else(inbound, actor=actor, now=now)
    _require_undisputed(inbound)
    attempt = returns.carrier(inbound) or _carrier(inbound, actor=actor, now=now)
    before = inbound.status
    inbound.give_back(attempt=attempt, by=str(actor), at=now)
    inbound.save_progress()
    _audit("money.given_back", inbound, before=before, reason=reason, actor=actor, now=now)
    outbox.publish(events.about_money(events.MONEY_MATCHED, inbound), now=now)
    return refunds.give_back(attempt_id=attempt.id, reason=reason, actor=actor, now=now)


def _carrier(inbound: InboundReceipt, *, actor: Actor, now: datetime) -> PaymentAttempt:
    """Return a new attempt, in review, that has the money and carries it back."""
    intent = PaymentIntent(
        branch_id=inbound.branch_id,
        application_id=inbound.application_id,
        code=ids.code(),
        amount_minor=inbound.amount_minor,
        currency=inbound.currency,
        method=METHODS[inbound.provider].value,
        payer_name=inbound.payer_name,
        description=UNASKED,
        created_by=str(actor),
        created_at=now,
        expires_at=now + timedelta(days=1),
    )
    intent.save(force_insert=True)
    attempt = attempts.made(intent, account=inbound.provider_account, phone="", now=now)
    attempt.book(report=_report(inbound), fee=inbound.fee, is_put_aside=True, at=now)
    attempt.save(force_insert=True)
    intent.settle(attempt=attempt, at=now)
    intent.save_progress()
    return attempt


@transaction.atomic
def take_over(*, inbound_id: UUID, actor: Actor, now: datetime) -> InboundReceipt:
    """Make the person who acts the owner of money in suspense. Raises NotFound, NotWaiting, and Forbidden without a person."""
    inbound = _waiting(inbound_id)
    member = memberships.of_person(actor.person)
    if member is None:
        raise errors.Forbidden("Only somebody of the team looks after money in suspense.")
    if inbound.owner_id != member.id:
        _own(inbound, member, action="money.taken_over", actor=actor, now=now)
    return inbound


@transaction.atomic
def hand_over(
    *, inbound_id: UUID, member_id: UUID, reason: str, actor: Actor, now: datetime
) -> InboundReceipt:
    """
    Make somebody else the owner of money in suspense. Raises NotFound, NotWaiting, and NotAble for who may not decide
    about it.
    """
    inbound = _waiting(inbound_id)
    able = memberships.able(RESOLVE, branch_ids={inbound.branch_id})
    member = able.filter(id=member_id).first()
    if member is None:
        raise NotAble
    if inbound.owner_id != member.id:
        _own(inbound, member, action="money.handed_over", reason=reason, actor=actor, now=now)
    return inbound


def _own(
    inbound: InboundReceipt,
    member: "Membership",
    *,
    action: str,
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> None:
    before = inbound.owner_id
    inbound.owner = member
    inbound.save_progress()
    records.write(
        action=action,
        object_type=events.INBOUND_AGGREGATE,
        object_id=ids.encode("ir", inbound.id),
        actor=actor,
        now=now,
        changes={"owner": [str(before) if before else None, str(member.id)]},
        reason=reason,
        branch=inbound.branch_id,
    )


def _waiting(inbound_id: UUID) -> InboundReceipt:
    """Lock the receipt number, then its row, and return it; raise NotFound, and NotWaiting for what is decided."""
    found = InboundReceipt.objects.select_related("provider_account").filter(id=inbound_id).first()
    if found is None:
        raise errors.NotFound("There is no such receipt.")
    if not found.reference_key:
        silent.only(found.provider_account)
    suspense.only(found.receipt)
    rows = InboundReceipt.objects.locked().select_related("provider_account")
    inbound = rows.get(id=inbound_id)
    if not inbound.is_waiting:
        state = inbound.status.lower().replace("_", " ")
        raise NotWaiting(f"This money is {state}: nothing is left to decide.")
    return inbound


def _asked(inbound: InboundReceipt, intent_id: UUID, *, now: datetime) -> PaymentAttempt | None:
    """
    Return, locked with its intent, the attempt of a payment at this account, or at one that is the same at the provider, that
    the money may be of, all of its sum: one that was confirmed without a receipt, or else has no end.
    """
    unnamed = PaymentAttempt.objects.live().filter(
        intent_id=intent_id,
        amount_minor=inbound.amount_minor,
        provider_account__in=accounts.alike(inbound.provider_account),
        unnamed_at__isnull=False,
    )
    open_ids = (one.id for one in silent.open_for(inbound, now=now) if one.intent_id == intent_id)
    attempt_id = unnamed.values_list("id", flat=True).first() or next(open_ids, None)
    if attempt_id is None:
        return None
    attempt = attempts.locked(attempt_id)
    return attempt if attempt.is_live else None


def _require_nobody_else(
    inbound: InboundReceipt, *, but: UUID | None = None, actor: Actor, now: datetime
) -> None:
    """
    Raise MayBeOfAnother where money without a reference may be of an attempt that has not ended, of another payment.

    Which one is told to people, and to keys of its application in the money's branch: others share the account only.
    """
    found = silent.open_for(inbound, now=now)
    if any(one.intent_id == but for one in found):
        return
    if found:
        known = [one.code for one in found if _is_known(one, inbound, actor)]
        name = f"Attempt {known[0]}" if known else "An attempt of somebody else"
        raise MayBeOfAnother(
            f"{name} has not ended, and this money may be of it: give it to that payment, or wait for its end."
        )


def _require_undisputed(inbound: InboundReceipt) -> None:
    """Raise PaymentDisputed where the payer disputes the money, or has taken it back; the receipt's lock keeps disputes away."""
    if Dispute.objects.of_money(inbound.provider, inbound.receipt).exists():
        raise refund_limits.PaymentDisputed("The payer disputes this money, or has taken it back.")


def _is_known(attempt: PaymentAttempt, inbound: InboundReceipt, actor: Actor) -> bool:
    if actor.kind != ActorKind.API_KEY:
        return True
    return attempt.branch_id == inbound.branch_id and attempt.application.slug == actor.application


def _report(inbound: InboundReceipt) -> CollectionReport:
    return CollectionReport(
        ticket="",
        outcome=Outcome.COLLECTED,
        money=inbound.money,
        receipt=inbound.receipt,
        occurred_at=inbound.occurred_at,
    )


def _audit(
    action: str, inbound: InboundReceipt, *, before: str, reason: str, actor: Actor, now: datetime
) -> None:
    records.write(
        action=action,
        object_type=events.INBOUND_AGGREGATE,
        object_id=ids.encode("ir", inbound.id),
        actor=actor,
        now=now,
        changes={"status": [before, inbound.status], "amount": [None, inbound.money.wire()]},
        reason=reason,
        branch=inbound.branch_id,
    )
