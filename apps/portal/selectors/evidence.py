"""What waits for evidence, as the page shows it: the oldest first, at most 100 of each kind."""

from apps.access.selectors.scope import Principal
from apps.payments.selectors import evidence
from apps.portal.contracts import EvidenceLine, EvidenceQueue
from apps.portal.selectors import states, words

SHOWN = 100


def queue(caller: Principal) -> EvidenceQueue:
    """Return the payments and refunds without an outcome, and the money that waits in suspense."""
    payments = [
        EvidenceLine(
            at=intent.created_at,
            name=intent.current_attempt.code if intent.current_attempt else "",
            text=intent.payer_name or words.phone(intent.payer_phone),
            money=intent.money,
            badge=states.PAYMENT[intent.status],
            payment_id=intent.id,
        )
        for intent in evidence.unknown_intents(caller)[:SHOWN]
    ]
    refunds = [
        EvidenceLine(
            at=refund.unknown_at or refund.created_at,
            name=refund.payment_receipt,
            text=refund.reason,
            money=refund.money,
            badge=states.REFUND[refund.status],
            payment_id=refund.intent_id,
        )
        for refund in evidence.unknown_refunds(caller)[:SHOWN]
    ]
    movements = [
        EvidenceLine(
            at=row.received_at,
            name=row.receipt,
            text=row.reason,
            money=row.money,
            badge=states.CALLBACK["UNMATCHED"],
        )
        for row in evidence.waiting_receipts(caller)[:SHOWN]
    ]
    return EvidenceQueue(tuple(payments), tuple(refunds), tuple(movements))
