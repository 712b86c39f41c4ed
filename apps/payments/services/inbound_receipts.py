"""Money that arrives unasked: each receipt is seen once, booked once, and is of a payment or waits for a person."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from apps.integrations.ports import CollectionReport, InboundReport, Outcome
from apps.integrations.selectors import accounts
from apps.integrations.services import providers
from apps.kit import errors
from apps.kit.actors import Actor
from apps.payments.contracts import InboundSource, Recorded
from apps.payments.models import InboundReceipt, PaymentAttempt, PaymentIntent
from apps.payments.models.inbound import reference_key
from apps.payments.selectors import policies
from apps.payments.services import attempts, bookings, intents, payables, reports, settlings, silent, suspense
from apps.payments.services.reports import MoneyUnexplained, ReportContradicts

if TYPE_CHECKING:
    from apps.integrations.models import ProviderAccount

AHEAD_MAX = timedelta(days=1)
BEHIND_MAX = timedelta(days=366)


class ArrivedElsewhere(MoneyUnexplained):
    """Money arrived under a receipt that is known at an account which is another one at the provider: one of both is not told truly."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why money goes to suspense; ``doubled`` is the payment that it would pay a second time, or pays otherwise."""

    reason: str
    doubled: PaymentIntent | None = None
    is_duplicate: bool = False


@transaction.atomic
def record(
    *,
    account_id: UUID,
    notice: InboundReport,
    phone: str,
    source: InboundSource,
    actor: Actor,
    now: datetime,
) -> tuple[Recorded, InboundReceipt]:
    """
    Record money that a provider says has arrived at an account; ``phone`` is the payer's number where it is in clear.

    It is of the attempt that bears the receipt or whose code was typed, or else of the intent whose code was typed, and
    settles it as every report does. Anything else is booked to suspense with an owner: nothing is lost and nothing is
    guessed. The same receipt again, from whomever, books nothing; while it waits, what a later message adds may tell
    whose it is. Raises ReportContradicts for a receipt that is known with another sum, or money for another number,
    MoneyUnexplained for one that an attempt is booked under with another sum, and ArrivedElsewhere for one that is known at an
    account that is another one at the provider: nothing of these two is booked, and they are for people. What may be of several payments that were
    booked without a receipt is taken for that of one of them, and is given to another once its receipt is told. What is as
    large as the account's terms say is booked only once the provider has confirmed it (``confirmations``). Locks the receipt, then what it pays.
    """
    account = _of_till(accounts.get(account_id), notice.paid_to)
    if notice.paid_to not in ("", account.short_code, account.till_number):
        raise ReportContradicts("The message names another number than that of this account.")
    _only(account, reference_key(notice.reference), notice.receipt)
    kept = InboundReceipt.objects.locked().select_related("provider_account")
    known = kept.filter(provider=account.provider, receipt=notice.receipt).first()
    if known is not None:
        if not accounts.are_alike(known.provider_account, account):
            raise ArrivedElsewhere("This receipt is of money that arrived at another account.")
        return _heard_again(known, notice, phone=phone, source=source, actor=actor, now=now), known
    inbound = _new(account, notice, source=source, now=now)
    if _must_confirm(inbound, source):
        suspense.await_confirmation(inbound, now=now)
        return Recorded.APPLIED, inbound
    return place(inbound, phone=phone, actor=actor, now=now), inbound


def place(inbound: InboundReceipt, *, phone: str, actor: Actor, now: datetime) -> Recorded:
    """Settle what new or confirmed money is of, or book it to suspense; the caller holds the locks that ``record`` takes."""
    found = _paid(inbound, phone=phone, actor=actor, now=now)
    if isinstance(found, Doubt):
        suspense.hold(
            inbound,
            reason=found.reason,
            doubled=found.doubled,
            is_duplicate=found.is_duplicate,
            actor=actor,
            now=now,
        )
        return Recorded.APPLIED
    attempt, recorded = found
    inbound.match(attempt=attempt, at=now)
    inbound.save()
    return recorded


def lock(inbound_id: UUID) -> InboundReceipt:
    """Lock what ``record`` locks for money that is known, and return its row. Raises NotFound."""
    found = InboundReceipt.objects.select_related("provider_account").filter(id=inbound_id).first()
    if found is None:
        raise errors.NotFound("There is no such receipt.")
    _only(found.provider_account, found.reference_key, found.receipt)
    return InboundReceipt.objects.locked().select_related("provider_account").get(id=inbound_id)


def _only(account: "ProviderAccount", code: str, receipt: str) -> None:
    """Let nobody else record this money, nor any other half of the payment that it may be of, until the transaction ends."""
    if not code or silent.is_awaited(account, code):
        silent.only(account)
    suspense.only(receipt)


def _must_confirm(inbound: InboundReceipt, source: InboundSource) -> bool:
    """
    Say whether new money is so large that the provider is asked first: a confirmation is not signed, a list that we asked
    for is proof, and so is what an attempt was told at its own address.
    """
    if source is not InboundSource.CONFIRMATION or not inbound.provider_account.must_confirm(inbound.money):
        return False
    return not PaymentAttempt.objects.bearing(inbound.receipt, provider=inbound.provider).exists()


def _of_till(account: "ProviderAccount", number: str) -> "ProviderAccount":
    """Return the account whose till was paid, where several tills of one store are told of at one address."""
    if number in ("", account.short_code, account.till_number):
        return account
    return accounts.of_till(account, number) or account


def call_for_people(*, account_id: UUID, receipt: str, now: datetime) -> None:
    """Have a person look at the attempt that is booked under a receipt of which something else was told; see ``record``."""
    provider = accounts.get(account_id).provider
    booked = PaymentAttempt.objects.bearing(receipt, provider=provider)
    for attempt_id in booked.values_list("id", flat=True):
        reports.hold_unexplained(attempt_id=attempt_id, receipt=receipt, now=now)


def _heard_again(
    known: InboundReceipt,
    notice: InboundReport,
    *,
    phone: str,
    source: InboundSource,
    actor: Actor,
    now: datetime,
) -> Recorded:
    """Note who else told of money that is known, fill in what was not told, and look for its payment while it waits."""
    if notice.money != known.money:
        raise ReportContradicts("The message names another sum than an earlier one of this receipt.")
    if known.hear(notice, source=source, occurred_at=_told_at(notice, now=now)):
        known.save_progress()
    if known.is_unconfirmed and source is InboundSource.PULL:
        return place(known, phone=phone, actor=actor, now=now)
    if not known.is_waiting or known.intent_id is not None:
        return Recorded.DUPLICATE
    found = _paid(known, phone=phone, actor=actor, now=now)
    if isinstance(found, Doubt):
        return Recorded.DUPLICATE
    known.refresh_from_db()
    return Recorded.APPLIED


def _new(
    account: "ProviderAccount", notice: InboundReport, *, source: InboundSource, now: datetime
) -> InboundReceipt:
    return InboundReceipt(
        provider_account=account,
        branch_id=account.branch_id,
        provider=account.provider,
        receipt=notice.receipt,
        amount_minor=notice.money.minor,
        currency=notice.money.currency,
        reference=notice.reference,
        reference_key=reference_key(notice.reference),
        payer=notice.payer,
        payer_name=notice.payer_name,
        kind=notice.kind,
        sources=[source.value],
        occurred_at=_told_at(notice, now=now),
        received_at=now,
    )


def _paid(
    inbound: InboundReceipt, *, phone: str, actor: Actor, now: datetime
) -> tuple[PaymentAttempt, Recorded] | Doubt:
    """Settle what the money is of and return its attempt, or say why it must wait."""
    report = CollectionReport(
        ticket="",
        outcome=Outcome.COLLECTED,
        money=inbound.money,
        receipt=inbound.receipt,
        payer_phone=phone,
        occurred_at=inbound.occurred_at,
    )
    attempt = _attempt(inbound)
    if attempt is not None:
        return _attempt_paid(inbound, attempt.id, report, actor=actor, now=now)
    intent = _intent(inbound)
    if intent is not None:
        return _intent_paid(inbound, intent, report, actor=actor, now=now)
    unnamed = [] if inbound.reference_key else silent.booked_without(inbound)
    if len(unnamed) == 1 and silent.without_any(unnamed):
        return _attempt_paid(inbound, unnamed[0].id, report, actor=actor, now=now)
    one_of_them = silent.free(unnamed) if inbound.booked_at is None else None
    if one_of_them is not None:
        return (
            one_of_them,
            Recorded.DUPLICATE,
        )  # of one of several: its money is in the books, whichever it is
    return _doubt(inbound, now=now)


def _doubt(inbound: InboundReceipt, *, now: datetime) -> Doubt:
    """Say why money waits."""
    if not inbound.reference_key:
        return Doubt("No reference was told.")
    hours = policies.current().repeated_within_hours
    if inbound.payer and _is_repeated(inbound, within=timedelta(hours=hours), now=now):
        reason = f"Who may be the same payer paid this sum under this reference within {hours} hours."
        return Doubt(reason, is_duplicate=True)
    return Doubt("No payment has this reference.")


def _attempt(inbound: InboundReceipt) -> PaymentAttempt | None:
    """Return the attempt of this account, or of one that is the same at the provider, that bears the receipt, or else the code."""
    own = PaymentAttempt.objects.filter(provider_account__in=accounts.alike(inbound.provider_account))
    of_receipt = own.bearing(inbound.receipt, provider=inbound.provider).first()
    return of_receipt or own.filter(code=inbound.reference_key).first()


def _intent(inbound: InboundReceipt) -> PaymentIntent | None:
    """Return the intent whose code was typed, at whichever of our accounts."""
    intents_of_currency = PaymentIntent.objects.filter(currency=inbound.currency)
    return intents_of_currency.filter(code=inbound.reference_key).first() if inbound.reference_key else None


def _attempt_paid(
    inbound: InboundReceipt, attempt_id: UUID, report: CollectionReport, *, actor: Actor, now: datetime
) -> tuple[PaymentAttempt, Recorded] | Doubt:
    attempt = attempts.locked(attempt_id)
    if attempt.provider_receipt not in ("", inbound.receipt):
        reason = f"{attempt.code} was paid under receipt {attempt.provider_receipt}: this came beside it."
        return Doubt(reason, doubled=attempt.intent, is_duplicate=True)
    try:
        recorded = intents.record(attempt_id=attempt_id, report=report, actor=actor, now=now)
    except ReportContradicts as contradiction:
        if attempt.is_booked and attempt.provider_receipt == inbound.receipt:
            raise MoneyUnexplained(f"{attempt.code}: {contradiction.detail}") from contradiction
        return Doubt(f"{attempt.code}: {contradiction.detail}", doubled=attempt.intent)
    return attempts.locked(attempt_id), recorded


def _intent_paid(
    inbound: InboundReceipt,
    found: PaymentIntent,
    report: CollectionReport,
    *,
    actor: Actor,
    now: datetime,
) -> tuple[PaymentAttempt, Recorded] | Doubt:
    """Settle an intent, or a part of it, with money that nobody asked its payer for: by an attempt that has its money at once."""
    intent = PaymentIntent.objects.locked().get(id=found.id)
    is_part = payables.is_paid_by(intent, inbound.money)
    doubt = _otherwise(inbound, intent, is_part=is_part)
    if doubt is not None:
        return doubt
    attempt = attempts.made(
        intent,
        account=inbound.provider_account,
        phone=report.payer_phone,
        now=now,
        part=inbound.money if is_part else None,
    )
    held = inbound if inbound.booked_at else None
    settlings.take(attempt, report, held=held, actor=actor, now=now)
    return attempt, Recorded.APPLIED


def _otherwise(inbound: InboundReceipt, intent: PaymentIntent, *, is_part: bool) -> Doubt | None:
    """Say why money under the code of an intent does not pay it; None where it does, or is for a person as its money."""
    if intent.is_done:
        return Doubt(f"Payment {intent.code} was paid before.", doubled=intent, is_duplicate=True)
    if payables.is_paid_otherwise(intent):
        reason = f"What payment {intent.code} is for was paid by another payment."
        return Doubt(reason, doubled=intent, is_duplicate=True)
    reason = ""
    if PaymentAttempt.objects.bearing(inbound.receipt, provider=inbound.provider).exists():
        reason = "The receipt belongs to another payment."
    elif intent.is_partly_paid and not is_part:
        reason = f"{intent.due} of payment {intent.code} is due: {inbound.money} came."
    elif is_part and inbound.money != intent.money and not bookings.takes_parts_of(intent):
        reason = f"The account that takes the money of payment {intent.code} is shut."
    return Doubt(reason, doubled=intent) if reason else None


def _is_repeated(inbound: InboundReceipt, *, within: timedelta, now: datetime) -> bool:
    """
    Say whether somebody seems to have paid the same thing twice: reference and sum are those of money of a moment ago, and the
    payer may be, each told in clear, masked or hashed.
    """
    alike = InboundReceipt.objects.filter(
        provider=inbound.provider,
        reference_key=inbound.reference_key,
        amount_minor=inbound.amount_minor,
        currency=inbound.currency,
        received_at__gte=now - within,
    ).exclude(id=inbound.id)
    payer = providers.payer(inbound.provider, inbound.payer)
    told = set(alike.exclude(payer="").values_list("payer", flat=True))
    return inbound.payer in told or any(payer.agrees(providers.payer(inbound.provider, one)) for one in told)


def _told_at(notice: InboundReport, *, now: datetime) -> datetime | None:
    """Return the provider's time of the money unless it cannot be: a clock may be wrong, and a date is never vital."""
    at = notice.occurred_at
    return at if at is not None and now - BEHIND_MAX <= at <= now + AHEAD_MAX else None
