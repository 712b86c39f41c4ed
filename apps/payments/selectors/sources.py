"""The payments, attempts, refunds and disputes that transactions of the ledger name as their source."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from apps.kit import ids
from apps.ledger.selectors.subjects import Cause, Subject, declare_subjects
from apps.payments.models import Dispute, InboundReceipt, PaymentAttempt, PaymentIntent, Refund
from apps.payments.postings import INBOUND_SOURCE, SOURCE
from apps.payments.postings.disputes import SOURCE as DISPUTE_SOURCE

COLLECTIONS = ("collection:", "collection-correction:", "collection-acceptance:", "collection-surrender:")
REFUNDS = ("refund:", "refund-charge:", "collection-surrender-return:", "collection-surrender-again:")


def subjects(causes: Sequence[Cause]) -> Mapping[UUID, Sequence[Subject]]:
    """Return, for each booking, the payment, the attempt that collected, and the refund that gave back: three queries."""
    named = {own.uid: _named(own.key) for own in causes}
    intents = PaymentIntent.objects.in_bulk({own.source_id for own in causes})
    refunds = Refund.objects.in_bulk({key for is_refund, key in named.values() if is_refund and key})
    wanted = {key for is_refund, key in named.values() if not is_refund and key}
    attempts = PaymentAttempt.objects.in_bulk(wanted | {refund.attempt_id for refund in refunds.values()})
    found: dict[UUID, Sequence[Subject]] = {}
    for own in causes:
        is_refund, key = named[own.uid]
        refund = refunds.get(key) if is_refund and key else None
        attempt = attempts.get(refund.attempt_id if refund else key) if refund or key else None
        rows = [_intent(intents.get(own.source_id)), _attempt(attempt), _refund(refund)]
        found[own.uid] = [row for row in rows if row is not None]
    return found


def _named(key: str) -> tuple[bool, UUID | None]:
    """Return whether a booking's key names a refund, and the id that it names."""
    for prefix in (*COLLECTIONS, *REFUNDS):
        if key.startswith(prefix):
            return prefix in REFUNDS, UUID(key.removeprefix(prefix))
    return False, None


def _intent(intent: PaymentIntent | None) -> Subject | None:
    if intent is None:
        return None
    text = f"Payment {ids.encode('pi', intent.id)}, {intent.money}, {intent.status.lower()}"
    return Subject("payment", intent.id, text, intent.created_at)


def _attempt(attempt: PaymentAttempt | None) -> Subject | None:
    if attempt is None:
        return None
    receipt = attempt.provider_receipt or "no receipt"
    return Subject("attempt", attempt.id, f"Attempt {attempt.code}, {receipt}", attempt.created_at)


def _refund(refund: Refund | None) -> Subject | None:
    if refund is None:
        return None
    text = f"Refund {ids.encode('re', refund.id)}, {refund.money}, {refund.status.lower()}"
    return Subject("refund", refund.id, text, refund.created_at)


def receipts(causes: Sequence[Cause]) -> Mapping[UUID, Sequence[Subject]]:
    """Return, for each booking of money that no payment explained, the receipt and the attempt that it is of by now."""
    found = InboundReceipt.objects.select_related("attempt").in_bulk({own.source_id for own in causes})
    return {
        own.uid: [
            row for row in (_inbound(found[own.source_id]), _attempt(found[own.source_id].attempt)) if row
        ]
        for own in causes
        if own.source_id in found
    }


def _inbound(inbound: InboundReceipt) -> Subject:
    status = inbound.status.lower().replace("_", " ")
    return Subject(
        "inbound_receipt",
        inbound.id,
        f"Receipt {inbound.receipt}, {inbound.money}, {status}",
        inbound.received_at,
    )


def disputes(causes: Sequence[Cause]) -> Mapping[UUID, Sequence[Subject]]:
    """Return, for each booking of a dispute, the payment, its attempt and the dispute."""
    rows = Dispute.objects.select_related("attempt", "intent").in_bulk({own.source_id for own in causes})
    return {
        own.uid: [row for row in _of_dispute(rows[own.source_id]) if row is not None]
        for own in causes
        if own.source_id in rows
    }


def _of_dispute(dispute: Dispute) -> tuple[Subject | None, ...]:
    status = dispute.status.lower().replace("_", " ")
    text = f"Dispute {ids.encode('dp', dispute.id)}, {dispute.money}, {status}"
    own = Subject("payment_dispute", dispute.id, text, dispute.created_at)
    return _intent(dispute.intent), _attempt(dispute.attempt), own


declare_subjects(SOURCE, subjects)
declare_subjects(DISPUTE_SOURCE, disputes)
declare_subjects(INBOUND_SOURCE, receipts)
