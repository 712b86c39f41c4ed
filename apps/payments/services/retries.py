"""Whether a payer is asked again after an attempt that brought nothing: by itself, by another account or page, or as he asks for it."""

from datetime import datetime, timedelta

from apps.integrations.ports import HELD_BACK, ProviderHeldBack, ProviderUnavailable
from apps.payments.models import PaymentAttempt, PaymentIntent, PayPage
from apps.payments.services import routing
from apps.payments.services.routing_choice import ATTEMPTS_MAX

RETRY_AFTER = timedelta(seconds=5)
PAUSE_MAX = timedelta(minutes=1)
PATIENCE = timedelta(minutes=10)
"""For how long a payer may wait for a prompt that our own gate keeps back."""
HOLDER_WANTED = "authentication_required"
"""The reason of a refusal after which a payer can pay the same way, if he is there."""


def next_try(attempt: PaymentAttempt, refusal: ProviderUnavailable, *, now: datetime) -> timedelta | None:
    """Return after how long to try again; None where nobody is to be asked again."""
    intent = attempt.intent
    if intent.cancel_requested_at is not None or intent.current_attempt_id != attempt.id:
        return None
    if isinstance(refusal, ProviderHeldBack):
        waits_since = intent.confirmed_at or intent.created_at
        before = intent.attempts.filter(failure_code=HELD_BACK, created_at__gte=waits_since).count()
        pause: timedelta = min(refusal.pause * 2**before, PAUSE_MAX)
        return pause if now + pause <= waits_since + PATIENCE else None
    tries = intent.attempts.sent().count()
    return (refusal.retry_after or RETRY_AFTER * 4 ** (tries - 1)) if tries < ATTEMPTS_MAX else None


def wants_holder(attempt: PaymentAttempt, code: str) -> bool:
    """Say whether a saved method was refused because its payer is wanted himself, and he still waits: a page can ask him."""
    is_asked_for = attempt.saved_method_id is not None and attempt.intent.cancel_requested_at is None
    return is_asked_for and code == HOLDER_WANTED


def falls_back(attempt: PaymentAttempt, *, now: datetime) -> bool:
    """Say whether another account asks the payer, who still waits: never after nobody knew what became of the attempt."""
    intent = attempt.intent
    if intent.cancel_requested_at is not None or attempt.unknown_at is not None:
        return False
    return now <= (intent.confirmed_at or intent.created_at) + PATIENCE and routing.goes_on(attempt, now=now)


def may_be_asked_again(intent: PaymentIntent, *, now: datetime) -> bool:
    """Say whether the payer holds a link by which he may ask for another prompt, after three at most."""
    return (
        intent.cancel_requested_at is None
        and intent.expires_at > now
        and intent.attempts.sent().count() < ATTEMPTS_MAX
        and PayPage.is_open_for(intent, now=now)
    )
