"""Signed messages of providers: proven, matched with what they are about, and followed by a question. They are never facts."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from apps.events.services import outbox
from apps.integrations import events as announcements
from apps.integrations.contracts import CallbackStatus, StoredCallback
from apps.integrations.ports import (
    ForgedCallback,
    MalformedCallback,
    Nudge,
    NudgeKind,
    ProviderDeclined,
    RawWebhook,
)
from apps.integrations.selectors import accounts
from apps.integrations.services import callbacks as inbox
from apps.integrations.services import providers
from apps.kit import faults, jobs
from apps.payments.contracts import AttemptStatus, RefundStatus
from apps.payments.models import Dispute, PaymentAttempt, Refund
from apps.payments.models.refund import SENT_STATES
from apps.payments.services import attempts, sendings, setups

if TYPE_CHECKING:
    from apps.integrations.models import ProviderAccount

type Verdict = tuple[CallbackStatus, str, UUID | None]
type Follow = Callable[["ProviderAccount", Nudge, datetime], Verdict]

MATCHED_WITHIN = timedelta(minutes=15)
"""How long a message may be older than what it is about: it may overtake our own commit. Then it waits for people."""


class NotYetMatched(Exception):
    """Nothing that we know is meant; the message may have overtaken what it is about, and is read again later."""


def apply(*, callback_id: UUID, now: datetime) -> None:
    """
    Follow a stored message of a provider: have what it is about asked after, and mark what became of the message.

    Call it outside a transaction: to prove a message its provider may have to be asked. The answer to the question decides,
    so that order, repetition and lies of messages do no harm. FORGED is what is not proven, DUPLICATE what came before (it
    is followed all the same), IGNORED what tells of nothing that we ask about. Raises NotYetMatched for the first minutes of
    one that nothing explains, which is UNMATCHED afterwards; ProviderUnavailable while the proof cannot be had; and
    crypto.Unreadable while the account's credentials cannot be opened. Nothing is marked then.
    """
    stored = inbox.get(callback_id)
    account = accounts.of_token(stored.token)
    if account is None:
        inbox.mark(stored.id, CallbackStatus.FORGED, "Nothing was asked for with this token.", now=now)
        return
    try:
        port = providers.webhook(account.id, now=now)
        nudge = port.read(RawWebhook(stored.body, stored.headers, stored.received_at))
    except ForgedCallback as error:
        inbox.mark(stored.id, CallbackStatus.FORGED, str(error), now=now)
        return
    except (MalformedCallback, ProviderDeclined) as error:
        inbox.mark(stored.id, CallbackStatus.MALFORMED, str(error), now=now)
        return
    faults.reach("payments.webhook_read")
    _apply(stored, account, nudge, now=now)


@transaction.atomic
def _apply(stored: StoredCallback, account: "ProviderAccount", nudge: Nudge, *, now: datetime) -> None:
    follow = FOLLOWED.get(nudge.kind)
    if follow is None:
        inbox.mark(stored.id, CallbackStatus.IGNORED, _about(nudge), now=now)
        return
    try:
        verdict, note, subject_id = follow(account, nudge, now)
    except NotYetMatched:
        if now < stored.received_at + MATCHED_WITHIN:
            raise
        note = f"Nothing here is known under {nudge.ticket or nudge.code}."
        inbox.mark(stored.id, CallbackStatus.UNMATCHED, f"{_about(nudge)}: {note}", now=now)
        return
    is_repeated = inbox.is_repeated(stored.id, event_id=nudge.event_id)
    if verdict == CallbackStatus.APPLIED and is_repeated:
        verdict = CallbackStatus.DUPLICATE
    inbox.mark(
        stored.id,
        verdict,
        f"{_about(nudge)}: {note}" if note else _about(nudge),
        now=now,
        subject_id=subject_id,
        event_id=nudge.event_id,
    )


def _about(nudge: Nudge) -> str:
    return f"{nudge.type or nudge.kind.lower()} {nudge.event_id}"


def _collection(account: "ProviderAccount", nudge: Nudge, now: datetime) -> Verdict:
    """Have the provider asked about a payment that is open, or was closed without money, or lacks its fee."""
    found = found_attempt(account, nudge)
    if found is None and not nudge.code:
        return CallbackStatus.IGNORED, "What we ask for bears a code of ours, and this does not.", None
    if found is None:
        raise NotYetMatched
    attempt = attempts.locked(found.id)
    if attempt.is_booked and not attempt.is_incomplete:
        return CallbackStatus.DUPLICATE, "The payment has been answered.", attempt.id
    if not attempt.ticket and not _has_learned(attempt, nudge.ticket, now=now):
        raise NotYetMatched
    attempts.ask_soon(attempt, now=now)
    return CallbackStatus.APPLIED, "", attempt.id


def found_attempt(account: "ProviderAccount", nudge: Nudge) -> PaymentAttempt | None:
    own = PaymentAttempt.objects.filter(provider_account__in=accounts.alike(account))
    by_code = own.filter(code=nudge.code).first() if nudge.code else None
    by_ticket = own.filter(ticket=nudge.ticket).first() if nudge.ticket and by_code is None else None
    return by_code or by_ticket


def _has_learned(attempt: PaymentAttempt, ticket: str, *, now: datetime) -> bool:
    """
    Say whether an attempt without a ticket can be asked after now.

    While the provider knows the request of a live one by its code, that gives the ticket, as soon as nobody waits for the
    first answer any more; afterwards, and where we took it for ended, the message's own is taken.
    """
    if attempt.is_live and now < attempt.created_at + providers.repeat_within(attempt.provider):
        return attempt.status == AttemptStatus.UNKNOWN
    attempt.ticket = ticket
    attempt.initiated_at = attempt.initiated_at or now
    return bool(ticket)


def _refund(account: "ProviderAccount", nudge: Nudge, now: datetime) -> Verdict:
    """Have the provider asked about a refund: an open one, and one that succeeded, whose money may have come back."""
    found = found_refund(account, nudge)
    if found is None:
        raise NotYetMatched
    refund = sendings.locked(found.id)
    is_open = refund.status in SENT_STATES or sendings.may_come_back(refund)
    if not is_open:
        return CallbackStatus.DUPLICATE, "The refund has been answered.", refund.id
    if not refund.ticket:
        if refund.status != RefundStatus.UNKNOWN:
            raise NotYetMatched
        refund.ticket = nudge.ticket
        refund.initiated_at = refund.initiated_at or now
    refund.next_query_at = now
    refund.query_started_at = None
    refund.save_progress()
    jobs.enqueue("payments.query_refund", refund_id=refund.id)
    return CallbackStatus.APPLIED, "", refund.id


def found_refund(account: "ProviderAccount", nudge: Nudge) -> Refund | None:
    """Return the refund of a ticket, or the only one of the payment whose ticket nobody has told."""
    own = Refund.objects.filter(provider_account__in=accounts.alike(account))
    by_ticket = own.filter(ticket=nudge.ticket).first() if nudge.ticket else None
    if by_ticket is not None or not nudge.code:
        return by_ticket
    untold = list(own.filter(attempt__code=nudge.code, ticket="", status__in=SENT_STATES)[:2])
    return untold[0] if len(untold) == 1 else None


def _dispute(account: "ProviderAccount", nudge: Nudge, now: datetime) -> Verdict:
    """Have the provider asked about a dispute, whether it is known here or not: the answer opens its row."""
    known = Dispute.objects.locked().filter(provider=account.provider, ticket=nudge.ticket).first()
    if known is None:
        jobs.enqueue("payments.read_dispute", account_id=account.id, ticket=nudge.ticket)
        return CallbackStatus.APPLIED, "", None
    known.next_query_at = now
    known.query_started_at = None
    known.save(update_fields=["next_query_at", "query_started_at"])
    jobs.enqueue("payments.query_dispute", dispute_id=known.id)
    return CallbackStatus.APPLIED, "", known.id


def _method(account: "ProviderAccount", nudge: Nudge, now: datetime) -> Verdict:
    """Have the provider asked about a way to pay: whether its payer has agreed, or whether it is kept still."""
    found = setups.nudged(account, nudge, now=now)
    if found is None and not nudge.code:
        return CallbackStatus.IGNORED, "It is of no way to pay that we keep.", None
    if found is None:
        raise NotYetMatched
    saved, is_asked = found
    if not is_asked:
        return CallbackStatus.DUPLICATE, "What became of it is known.", saved.id
    return CallbackStatus.APPLIED, "", saved.id


def _partner(account: "ProviderAccount", nudge: Nudge, now: datetime) -> Verdict:
    """Say that an account of somebody else is to be asked after: who pays to such accounts listens."""
    outbox.publish(announcements.partner_nudged(account, nudge), now=now)
    return CallbackStatus.APPLIED, "", None


FOLLOWED: dict[NudgeKind, Follow] = {
    NudgeKind.COLLECTION: _collection,
    NudgeKind.DISPUTE: _dispute,
    NudgeKind.REFUND: _refund,
    NudgeKind.METHOD: _method,
    NudgeKind.PARTNER: _partner,
}
"""What is done about each kind of message; what stands here not is kept, and ignored."""
