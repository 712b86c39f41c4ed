"""What waits for evidence, as the page shows it: the oldest first, at most 100 of each kind."""

from django.utils.translation import gettext as _

from apps.access.selectors.scope import Principal
from apps.kit.money import Money
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
    listed = [
        EvidenceLine(
            at=line.occurred_at or line.listed_at,
            name=line.receipt or line.number,
            text=_listed(line.kind, line.fee, line.attempt.fee if line.attempt else None),
            money=line.money,
            badge=states.LISTED[line.matter],
            movement_id=line.id,
        )
        for line in evidence.listed_movements(caller)[:SHOWN]
    ]
    return EvidenceQueue(tuple(payments), tuple(refunds), tuple(movements), tuple(listed))


def _listed(kind: str, listed: Money | None, booked: Money | None) -> str:
    """Say what a listed movement is: the provider's word for it, and the two fees where it is of a payment."""
    if listed is None or booked is None:
        return kind
    said = _("%(kind)s: the fee is listed as %(listed)s and booked as %(booked)s")
    return said % {"kind": kind, "listed": listed, "booked": booked}
