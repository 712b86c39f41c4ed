"""
Money of which two roads tell half each: a payment that is confirmed without a receipt, and a receipt without a reference.

One rule: the same money is booked by one of its halves only. Where each may be only the other's they are brought together;
where several may be, the half that is told second books nothing, and people or the provider say which is whose. Nor does it
where people gave the other half elsewhere that may be its own, or a lost dispute took that: under no receipt it may be that very
money, so it waits for people, or for its own receipt.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q

from apps.events.services import outbox
from apps.integrations.ports import CollectionReport, Outcome
from apps.integrations.selectors import accounts
from apps.integrations.services import providers
from apps.kit import locks
from apps.kit.actors import Actor
from apps.kit.compiled import Compiled, Read
from apps.payments import events
from apps.payments.contracts import InboundStatus
from apps.payments.models import InboundReceipt, PaymentAttempt
from apps.payments.models.attempt import BOOKED_STATES
from apps.payments.services import attempts, suspense, verdict_answers

if TYPE_CHECKING:
    from apps.integrations.models import ProviderAccount
    from apps.payments.models.inbound import InboundReceiptQuerySet

type Halves = tuple[InboundReceipt, PaymentAttempt]

WITHIN = timedelta(hours=24)
TAKEN_STATES = [InboundStatus.ASSIGNED, InboundStatus.GIVING_BACK, InboundStatus.TAKEN_BACK]
"""Money of which people, or a lost dispute, said whose it is, and not its provider."""
CLOCKS_DIFFER = timedelta(minutes=5)

_ATTEMPT = Compiled(lambda attempt_id: PaymentAttempt.objects.filter(id=attempt_id), UUID)
_STANDS = Read(
    lambda provider, receipt: InboundReceipt.objects.filter(
        provider=provider, receipt=receipt, status=InboundStatus.MATCHED
    ).values_list("id")[:1],
    str,
    str,
)
_TOLD = Compiled(
    lambda provider, receipt, attempt_id: InboundReceipt.objects.locked().filter(
        Q(status=InboundStatus.UNCONFIRMED, receipt=receipt)
        | (Q(status=InboundStatus.MATCHED) & (Q(receipt=receipt) | Q(attempt_id=attempt_id))),
        provider=provider,
    ),
    str,
    str,
    UUID,
)


def only(account: "ProviderAccount") -> None:
    """
    Let nobody else bring halves of an account together, nor of those that are one with it at the provider, until the
    transaction ends; take it before any other lock.
    """
    name = ":".join(str(getattr(account, each)) for each in accounts.ALIKE)
    locks.advisory(f"payments:silent:{name}")


def with_receipt(
    attempt_id: UUID, report: CollectionReport, *, now: datetime
) -> tuple[CollectionReport, bool]:
    """
    Return a report of money that names no receipt with the one that waits for it, where each may be only the other's.

    The second value says that the money may wait in suspense, or have been taken from there, and that nobody knows under which
    receipt: then it must not be booked. Locks the receipt that it names, and nothing for a report that names its own, unless halves may change places
    by it; call it before the attempt is locked.
    """
    attempt = _ATTEMPT.one(attempt_id)
    if report.outcome is Outcome.COLLECTED and _may_move(attempt, report.receipt):
        only(attempt.provider_account)
        attempt.refresh_from_db()
    if report.receipt or report.outcome is not Outcome.COLLECTED:
        return report, False
    if attempt.is_booked or attempt.unexplained_receipt or report.money not in (None, attempt.money):
        return report, False
    found = waiting_for(attempt)
    if len(found) > 1 or any(other.id != attempt.id for one in found for other in open_for(one, now=now)):
        return report, True
    receipt = found[0].receipt if found else ""
    suspense.only(receipt)
    if suspense.held(attempt.provider, receipt) is None:
        return report, was_taken(attempt)
    return replace(report, receipt=receipt), False


def waiting_for(attempt: PaymentAttempt) -> list[InboundReceipt]:
    """
    Return the money without a reference in suspense that may be of an attempt: at its account or one that is the same at the
    provider, of its sum and payer, within a day of its making.
    """
    return _may_be_of(attempt, InboundReceipt.objects.waiting())


def was_taken(attempt: PaymentAttempt) -> bool:
    """Say whether money that might have been of an attempt, as ``waiting_for`` finds it, was given elsewhere or taken back since."""
    return bool(_may_be_of(attempt, InboundReceipt.objects.filter(status__in=TAKEN_STATES)))


def _may_be_of(attempt: PaymentAttempt, found: "InboundReceiptQuerySet") -> list[InboundReceipt]:
    rows = found.filter(
        provider_account__in=accounts.alike(attempt.provider_account),
        reference_key="",
        amount_minor=attempt.amount_minor,
        currency=attempt.currency,
        received_at__gte=attempt.created_at - CLOCKS_DIFFER,
        received_at__lte=attempt.created_at + WITHIN,
    )
    halves = [(one, attempt) for one in rows.select_related("provider_account")]
    return [one for one, _ in _of_one_payer(halves)]


def may_be_here(attempt: PaymentAttempt) -> list[InboundReceipt]:
    """Return the money that nobody has decided about and that may be of an attempt, first what is said to be of it."""
    return [*InboundReceipt.objects.said_to_be_of(attempt), *waiting_for(attempt)]


def hold_unnamed(attempt_id: UUID, *, now: datetime) -> None:
    """Call for a person to say which receipt is of an attempt that has been paid, once; nothing is booked."""
    attempts.lose(attempt_id=attempt_id, now=now)
    attempt = attempts.locked(attempt_id)
    if attempt.unnamed_at is None:
        attempt.unnamed_at = now
        attempt.save_progress()
        verdict_answers.heed(attempt, now=now)
        outbox.publish(events.in_review(attempt), now=now)


def open_for(inbound: InboundReceipt, *, now: datetime) -> list[PaymentAttempt]:
    """Return the attempts without an end that money without a reference may be of, within a day of its coming."""
    if inbound.reference_key or now > inbound.received_at + WITHIN:
        return []
    live = PaymentAttempt.objects.live().filter(
        provider_account__in=accounts.alike(inbound.provider_account),
        amount_minor=inbound.amount_minor,
        currency=inbound.currency,
        created_at__gte=inbound.received_at - WITHIN,
        created_at__lte=inbound.received_at + CLOCKS_DIFFER,
    )
    return [one for _, one in _of_one_payer([(inbound, one) for one in live])]


def is_awaited(account: "ProviderAccount", code: str) -> bool:
    """Say whether the payment whose code was typed is booked and its receipt is not told yet."""
    awaited = PaymentAttempt.objects.filter(code=code, provider_account__in=accounts.alike(account))
    return awaited.filter(status__in=BOOKED_STATES, provider_receipt="").exists()


def booked_without(inbound: InboundReceipt) -> list[PaymentAttempt]:
    """Return the attempts of the day before this money came that were booked without a receipt and may be of its payer."""
    silent = PaymentAttempt.objects.filter(
        provider_account__in=accounts.alike(inbound.provider_account),
        provider_receipt="",
        status__in=BOOKED_STATES,
        received_minor=inbound.amount_minor,
        received_currency=inbound.currency,
        created_at__gte=inbound.received_at - WITHIN,
        created_at__lte=inbound.received_at + CLOCKS_DIFFER,
    )
    found = silent.select_related("intent").order_by("id")
    return [one for _, one in _of_one_payer([(inbound, one) for one in found])]


def without_any(booked: list[PaymentAttempt]) -> list[PaymentAttempt]:
    """Return those of these attempts for which no receipt has come, theirs or that of another one of them."""
    rows = InboundReceipt.objects.filter(attempt_id__in=[one.id for one in booked])
    taken = set(rows.values_list("attempt_id", flat=True))
    return [one for one in booked if one.id not in taken]


def free(booked: list[PaymentAttempt]) -> PaymentAttempt | None:
    """Return, locked, the first of these attempts that has no receipt still; one may have been told since they were read."""
    for one in without_any(booked):
        attempt = attempts.locked(one.id)
        if not attempt.provider_receipt:
            return attempt
    return None


def name(attempt: PaymentAttempt, *, actor: Actor, now: datetime) -> None:
    """
    Have the row of an attempt's receipt be of this attempt, now that the receipt is told.

    A row that stood for this attempt stands for another one that has none, or waits, booked, where there is no such. One
    that was to be confirmed is confirmed by the attempt. The caller has written the attempt down.
    """
    told = _TOLD.all(attempt.provider, attempt.provider_receipt, attempt.id)
    _confirm(attempt, [one for one in told if one.status == InboundStatus.UNCONFIRMED], now=now)
    found = [one for one in told if one.status == InboundStatus.MATCHED]
    own = next((one for one in found if one.attempt_id != attempt.id), None)
    stood = next((one for one in found if one.receipt != attempt.provider_receipt), None)
    home = own.attempt if own and accounts.are_alike(own.provider_account, attempt.provider_account) else None
    if own is not None:
        own.stand_for(attempt)
        own.save_progress()
    if stood is None:
        return
    if home is None:
        home = free(booked_without(stood))
    if home is None:
        suspense.release(stood, attempt=attempt, actor=actor, now=now)
        return
    stood.stand_for(home)
    stood.save_progress()


def _confirm(attempt: PaymentAttempt, unconfirmed: list[InboundReceipt], *, now: datetime) -> None:
    """Ask no more about money that its own attempt was told of; where that has another sum, or assumes one, ask anew."""
    for inbound in unconfirmed:
        if attempt.is_amount_reported and inbound.money == attempt.received:
            inbound.match(attempt=attempt, at=now)
        else:
            inbound.next_confirm_at = now
        inbound.save_progress()


def _may_move(attempt: PaymentAttempt, receipt: str) -> bool:
    """Say whether a report with this receipt, or none, may bring halves together or give one another payment."""
    if attempt.is_booked or not receipt:
        return not (receipt and attempt.provider_receipt)
    return _STANDS.is_any(attempt.provider, receipt)


def _of_one_payer(halves: list[Halves]) -> list[Halves]:
    """Return the pairs in which the payer of the money may be whom the attempt asked."""
    return [
        (one, other) for one, other in halves if providers.payer(one.provider, one.payer).may_be(other.phone)
    ]
