"""Set-ups of saved methods: what is recorded before and after each talk with a provider, every step a transaction of its own."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from apps.events.services import outbox
from apps.integrations.ports import (
    MethodStatus,
    Nudge,
    ProviderDeclined,
    ProviderError,
    ProviderUncertain,
    SavedMethodReport,
    SetupRequest,
    Ticket,
)
from apps.integrations.selectors import accounts
from apps.integrations.services import providers
from apps.kit import faults, jobs, logs
from apps.payments import events
from apps.payments.contracts.saving import SavedMethodStatus
from apps.payments.models import PaymentAttempt, SavedMethod
from apps.payments.models.saved_method import KEPT_STATES
from apps.payments.services import method_tokens, polling
from apps.payments.services.method_tokens import Kept

if TYPE_CHECKING:
    from apps.integrations.models import ProviderAccount

NO_PAGE = "The provider never told the address of its page: nobody can have agreed there."
KEPT_BEFORE = "The provider keeps this way to pay already, under another consent."

logger = logs.get(__name__)


def follow(*, method_id: UUID, now: datetime) -> None:
    """
    Do what is due about a saved method: ask the provider for its page, ask whether the payer has agreed, or have it forget.

    Safe to repeat: a page is asked for under the same code, for as long as the provider knows it by that, and what is forgotten
    already may be forgotten again. Where no answer comes it is done again, at ever longer distances. Raises crypto.Unreadable
    for credentials or a token that cannot be opened.
    """
    claimed = _claimed(method_id, now=now)
    if claimed is None:
        return
    faults.reach("payments.before_method")
    try:
        STEPS[SavedMethodStatus(claimed.status)](claimed, now)
    except ProviderError as refusal:
        code, said = refusal.code, refusal.provider_code
        logger.warning("method_unanswered", method_id=str(claimed.id), code=code, provider_code=said)
        _unanswered(claimed.id, refusal, now=now)


@transaction.atomic
def _claimed(method_id: UUID, *, now: datetime) -> SavedMethod | None:
    """Take what is due, and plan when it is done again where no answer comes; None where nothing is."""
    saved = locked(method_id)
    if saved.next_query_at is None or saved.next_query_at > now:
        return None
    is_asked_for = saved.status in (SavedMethodStatus.REQUESTED, SavedMethodStatus.UNKNOWN)
    if is_asked_for and now >= saved.created_at + providers.method_known_for(saved.provider):
        _fail(saved, code="expired", message=NO_PAGE, provider_code="", now=now)
        return None
    since = saved.forget_requested_at or saved.initiated_at or saved.created_at
    saved.next_query_at = polling.next_patient(initiated_at=since, now=now)
    saved.query_started_at = None
    saved.save_progress()
    is_in_use = saved.status == SavedMethodStatus.FORGETTING and _is_being_charged(saved, now=now)
    return None if is_in_use else saved


def locked(method_id: UUID) -> SavedMethod:
    """Lock a saved method and return it; call it inside a transaction."""
    return SavedMethod.objects.locked().get(id=method_id)


def _is_being_charged(saved: SavedMethod, *, now: datetime) -> bool:
    """
    Say whether the answer to a charge is missing that may be asked for once more, with the same token: as long as the provider
    knows the charge by its code. Afterwards it waits for people, and needs no token.
    """
    known_since = now - providers.repeat_within(saved.provider)
    unanswered = PaymentAttempt.objects.live().filter(saved_method_id=saved.id, ticket="")
    return unanswered.filter(created_at__gt=known_since).exists()


def _begin(saved: SavedMethod, now: datetime) -> None:
    port = providers.method(saved.provider_account_id, now=now, subject_id=saved.id)
    ticket = port.begin(
        SetupRequest(
            code=saved.code,
            return_url=saved.return_url,
            cancel_url=saved.cancel_url,
            currency=saved.currency,
            customer=method_tokens.customer(saved),
            email=saved.payer_email,
        )
    )
    faults.reach("payments.after_method")
    accept(method_id=saved.id, ticket=ticket, now=now)


def _read(saved: SavedMethod, now: datetime) -> None:
    port = providers.method(saved.provider_account_id, now=now, subject_id=saved.id)
    is_kept = saved.status == SavedMethodStatus.ACTIVE
    report = port.read(method_tokens.opened(saved).token if is_kept else saved.ticket)
    faults.reach("payments.after_method")
    record(method_id=saved.id, report=report, now=now)


def _forget(saved: SavedMethod, now: datetime) -> None:
    port = providers.method(saved.provider_account_id, now=now, subject_id=saved.id)
    port.forget(method_tokens.opened(saved).token)
    faults.reach("payments.after_method")
    _forgotten(saved.id, now=now)


STEPS: dict[SavedMethodStatus, Callable[[SavedMethod, datetime], None]] = {
    SavedMethodStatus.REQUESTED: _begin,
    SavedMethodStatus.UNKNOWN: _begin,
    SavedMethodStatus.PENDING: _read,
    SavedMethodStatus.ACTIVE: _read,
    SavedMethodStatus.FORGETTING: _forget,
}
"""What a provider is asked while a saved method is in a state."""


@transaction.atomic
def accept(*, method_id: UUID, ticket: Ticket, now: datetime) -> None:
    """Store the provider's handle and the address of its page, the first time."""
    saved = locked(method_id)
    if saved.ticket or not saved.is_open:
        return
    saved.accept(ticket=ticket, at=now, next_query_at=polling.next_patient(initiated_at=now, now=now))
    saved.save_progress()
    outbox.publish(events.methods.about(events.methods.INITIATED, saved), now=now)


@transaction.atomic
def record(*, method_id: UUID, report: SavedMethodReport, now: datetime) -> None:
    """
    Record what a provider says of a way to pay; it may repeat itself.

    One that it does not know any more is charged no more. One that somebody asked to forget meanwhile is forgotten at once.
    """
    saved = locked(method_id)
    is_kept = saved.status == SavedMethodStatus.ACTIVE
    if report.status is MethodStatus.PENDING or not (saved.is_open or is_kept):
        return
    if report.status is MethodStatus.SAVED:
        _renew(saved, report) if is_kept else _keep(saved, report, now=now)
    elif is_kept:
        _let_go(saved, now=now)
    else:
        told = {"code": report.reason_code, "message": report.message, "provider_code": report.provider_code}
        _fail(saved, **told, now=now)


def _keep(saved: SavedMethod, report: SavedMethodReport, *, now: datetime) -> None:
    digest = method_tokens.digest(report.token)
    others = SavedMethod.objects.filter(provider=saved.provider, token_digest=digest, status__in=KEPT_STATES)
    if others.exists():
        _fail(saved, code="kept_before", message=KEPT_BEFORE, provider_code="", now=now)
        return
    token = method_tokens.sealed(saved, Kept(report.token, report.customer))
    saved.keep(report=report, sealed_token=token, token_digest=digest, at=now)
    saved.save_progress()
    outbox.publish(events.methods.about(events.methods.SAVED, saved), now=now)
    if saved.forget_requested_at is not None:
        _let_go(saved, now=now)


def _renew(saved: SavedMethod, report: SavedMethodReport) -> None:
    saved.take_details(report)
    saved.next_query_at = None
    saved.save_progress()


def _let_go(saved: SavedMethod, *, now: datetime) -> None:
    saved.let_go(at=now)
    saved.save_progress()
    jobs.enqueue("payments.follow_method", method_id=saved.id)


def _fail(saved: SavedMethod, *, code: str, message: str, provider_code: str, now: datetime) -> None:
    saved.fail(code=code, message=message, provider_code=provider_code, at=now)
    saved.save_progress()
    outbox.publish(events.methods.about(events.methods.FAILED, saved), now=now)


@transaction.atomic
def _forgotten(method_id: UUID, *, now: datetime) -> None:
    saved = locked(method_id)
    if saved.status == SavedMethodStatus.FORGETTING:
        saved.forget(at=now)
        saved.save_progress()
        outbox.publish(events.methods.about(events.methods.FORGOTTEN, saved), now=now)


@transaction.atomic
def _unanswered(method_id: UUID, refusal: ProviderError, *, now: datetime) -> None:
    """Close a request that the provider refused for good; say of one without an answer that nobody knows."""
    saved = locked(method_id)
    if saved.status == SavedMethodStatus.REQUESTED and isinstance(refusal, ProviderUncertain):
        saved.lose()
        saved.save_progress()
    elif saved.status == SavedMethodStatus.REQUESTED and isinstance(refusal, ProviderDeclined):
        told = {"code": refusal.code, "message": refusal.message, "provider_code": refusal.provider_code}
        _fail(saved, **told, now=now)


def nudged(account: "ProviderAccount", nudge: Nudge, *, now: datetime) -> tuple[SavedMethod, bool] | None:
    """
    Have the provider asked about the saved method that a message is of; say which it is, and whether there was anything to ask.

    None where nothing is known under its code and its ticket, or the request is just being sent. Call it inside a transaction.
    """
    own = SavedMethod.objects.locked().filter(provider_account__in=accounts.alike(account))
    saved = own.filter(code=nudge.code).first() if nudge.code else None
    if saved is None and nudge.ticket:
        digest = method_tokens.digest(nudge.ticket)
        kept = own.filter(token_digest=digest, status__in=KEPT_STATES).first()
        saved = kept or own.filter(ticket=nudge.ticket).first()
    if saved is None or saved.status == SavedMethodStatus.REQUESTED:
        return None
    is_by_token = bool(nudge.ticket) and method_tokens.digest(nudge.ticket) == saved.token_digest
    if not saved.is_open and not (saved.status == SavedMethodStatus.ACTIVE and is_by_token):
        return saved, False
    saved.next_query_at, saved.query_started_at = now, None
    saved.save_progress()
    jobs.enqueue("payments.follow_method", method_id=saved.id)
    return saved, True
