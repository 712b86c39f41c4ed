"""What a provider is asked for: the order of an attempt, the same however often it is sent."""

from datetime import datetime
from uuid import UUID

from apps.integrations.ports import (
    CollectionRequest,
    ProviderDeclined,
    ProviderError,
    ProviderHeldBack,
)
from apps.integrations.services import hooks, providers
from apps.kit import faults
from apps.payments.models import PaymentAttempt
from apps.payments.services import attempts, pay_links


def of(attempt: PaymentAttempt) -> CollectionRequest:
    """Return the order of an attempt: the same each time, for a provider that compares a repeated one with the first."""
    back = pay_links.address(attempt.pay_page) if attempt.pay_page else ""
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
    )


def repeat(*, attempt_id: UUID, now: datetime) -> None:
    """
    Send the order of an attempt once more, where its answer never came and the provider knows it by its code.

    The provider gives its first answer again, so nothing is asked for twice. Only that one ends the attempt: that this
    sending did not reach it, or was refused for itself, says nothing of the first one.
    """
    attempt = attempts.claim_repeat(attempt_id=attempt_id, now=now)
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
