"""What the word of a provider does to what people say of a payment: it has the last one, before their verdict and after it."""

from datetime import datetime

from apps.approvals.services import requests
from apps.audit.services import records
from apps.kit import ids
from apps.kit.actors import PROVIDER, Actor
from apps.payments import events
from apps.payments.models import PaymentAttempt

ANSWERED = "The provider has told what became of the payment."
PAID = "Other money has paid it."


def heed(attempt: PaymentAttempt, *, actor: Actor = PROVIDER, now: datetime) -> None:
    """
    Call off what other people are asked about an attempt that is unknown no more; put on the trail that money came which people had said
    did not. The caller holds the locks, and has changed the attempt.
    """
    if attempt.verdict_approval_id is None:
        return
    if attempt.judged_at is None:
        requests.call_off(request_id=attempt.verdict_approval_id, reason=ANSWERED, now=now)
    elif attempt.is_booked:
        records.write(
            action="payment.verdict_contradicted",
            object_type=events.AGGREGATE,
            object_id=ids.encode("pi", attempt.intent_id),
            actor=actor,
            now=now,
            changes={"verdict": [attempt.failure_code, attempt.status]},
            reason=attempt.provider_receipt,
            branch=attempt.branch_id,
            approval=attempt.verdict_approval_id,
        )


def spare(attempt: PaymentAttempt, *, now: datetime) -> None:
    """Call off what other people are asked about an attempt whose payment other money settles; the attempt stays as it is."""
    if attempt.verdict_approval_id is not None and attempt.judged_at is None:
        requests.call_off(request_id=attempt.verdict_approval_id, reason=PAID, now=now)
