"""What lost disputes took of money that was nobody's yet: it leaves suspense, for it is owed to its payer no more."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.events.services import outbox
from apps.kit import errors, faults
from apps.kit.actors import PROVIDER
from apps.ledger.services import journals
from apps.payments import events
from apps.payments.models import Dispute, InboundReceipt
from apps.payments.postings import disputes as postings
from apps.payments.selectors import disputes as stored
from apps.payments.services import disputes, suspense


@transaction.atomic
def cover(*, dispute_id: UUID, now: datetime) -> Dispute:
    """
    Take out of suspense what a lost dispute took whole: the money of a payment in review, or of a receipt that waits.

    The sweep calls it for all that ``selectors.disputes.to_cover`` finds, whichever came last: the money, the loss, or the end of a
    review or refund. ``disputes.record`` turns it back where the dispute is won after all, and so does whoever finds that the money is
    of a payment. Safe to repeat and to run twice at once; does nothing where nothing is to be taken. Raises NotFound. Locks the
    receipt, then as ``disputes.locked``, then the row.
    """
    found = Dispute.objects.filter(id=dispute_id).first()
    if found is None:
        raise errors.NotFound("There is no such dispute.")
    suspense.only(found.payment_receipt)
    dispute = disputes.locked(dispute_id)
    if not stored.to_cover().filter(id=dispute_id).exists():
        return dispute
    inbound = stored.waiting_for(dispute).locked().first()
    if inbound is not None:
        _take(inbound, dispute, now=now)
    dispute.cover(inbound.amount_minor if inbound else dispute.held_minor)
    dispute.save(update_fields=["covered_minor", "bookings"])
    faults.reach("payments.before_dispute_posting")
    held = inbound or dispute.attempt
    if held is None:
        raise ValueError(f"dispute {dispute.ticket} took nothing from suspense")
    journals.post(draft=postings.cover(dispute, held), actor=PROVIDER, now=now)
    return dispute


def _take(inbound: InboundReceipt, dispute: Dispute, *, now: datetime) -> None:
    inbound.take_back(dispute=dispute, at=now)
    inbound.save_progress()
    outbox.publish(events.about_money(events.MONEY_TAKEN_BACK, inbound), now=now)
