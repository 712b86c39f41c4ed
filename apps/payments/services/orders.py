"""What a provider is asked for: the order of an attempt, the same however often it is sent."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.events.services import outbox
from apps.integrations.ports import (
    CollectionRequest,
    ProviderDeclined,
    ProviderError,
    ProviderHeldBack,
)
from apps.integrations.services import hooks, providers
from apps.kit import faults
from apps.payments.contracts import AttemptStatus
from apps.payments.models import PaymentAttempt
from apps.payments.services import attempts, method_tokens, pay_links

NO_PAGE = "The provider never told the address of its page: nobody can have paid there."


def of(attempt: PaymentAttempt) -> CollectionRequest:
    """
    Return the order of an attempt: the same each time, for a provider that compares a repeated one with the first.

    Raises crypto.Unreadable for a saved method whose token cannot be opened.
    """
    back = pay_links.address(attempt.pay_page) if attempt.pay_page else ""
    kept = method_tokens.opened(attempt.saved_method) if attempt.saved_method else method_tokens.NOTHING
    return CollectionRequest(
        money=attempt.money,
        phone=attempt.phone,
        email=attempt.email,
        code=attempt.code,
        description=attempt.intent.description,
        callback_url=hooks.address(token=attempt.callback_token, kind=attempts.COLLECTION),
        return_url=back,
        cancel_url=back,
        is_captured=attempt.is_captured,
        saved_method=kept.token,
        customer=kept.customer,
    )


@transaction.atomic
def claim_repeat(*, attempt_id: UUID, now: datetime) -> PaymentAttempt | None:
    """
    Take the repetition that is due of a request whose answer never came, and plan the next one.

    None where none is due or the provider has answered since. What it no longer knows by its code is closed an hour later, where
    it asked on a page whose address nobody was ever told.
    """
    attempt = attempts.locked(attempt_id)
    is_open = attempt.status == AttemptStatus.UNKNOWN and not attempt.ticket
    if not is_open or attempt.next_query_at is None or attempt.next_query_at > now:
        return None
    known_until = attempt.created_at + providers.repeat_within(attempt.provider)
    if attempt.asks_on_page and now >= known_until + attempts.FORGOTTEN_AFTER:
        closing = attempts.close(attempt, code="expired", message=NO_PAGE, provider_code="", now=now)
        outbox.publish(*closing, now=now)
        return None
    is_known = now < known_until
    attempt.next_query_at = attempts.next_repeat(attempt, now=now)
    attempt.query_started_at = None
    if is_known:
        attempt.repeated_at = attempt.repeated_at or now
    attempt.save_progress()
    return attempt if is_known else None


def repeat(*, attempt_id: UUID, now: datetime) -> None:
    """
    Send the order of an attempt once more, where its answer never came and the provider knows it by its code.

    The provider gives its first answer again, so nothing is asked for twice. Only that one ends the attempt: that this
    sending did not reach it, or was refused for itself, says nothing of the first one.
    """
    attempt = claim_repeat(attempt_id=attempt_id, now=now)
    if attempt is None:
        return
    order = of(attempt)
    try:
        port = providers.collection(attempt.provider_account_id, now=now, subject_id=attempt.id)
        ticket = port.request(order)
    except ProviderHeldBack as refusal:
        attempts.put_off_query(attempt_id=attempt.id, refusal=refusal, now=now)
    except ProviderError as refusal:
        if isinstance(refusal, ProviderDeclined) and refusal.is_replayed:
            attempts.decline(attempt_id=attempt.id, refusal=refusal, now=now)
        else:
            attempts.log_refusal("repetition_unanswered", attempt, refusal)
    else:
        faults.reach("payments.after_repeat")
        attempts.accept(attempt_id=attempt.id, ticket=ticket, now=now)
