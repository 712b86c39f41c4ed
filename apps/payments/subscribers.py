"""What payments does because of events of other apps."""

from uuid import UUID

from apps.approvals.contracts import Decided
from apps.events.contracts import Event
from apps.kit import clock, trail
from apps.payments.contracts import REFUND
from apps.payments.services import callbacks, refunds


def apply_callback(event: Event) -> None:
    """Record what a provider reported."""
    callbacks.apply(callback_id=UUID(event.data["callback_id"]), now=clock.now())


def execute_approval(event: Event) -> None:
    """Send or cancel a refund that other people have decided about; decisions about other deeds are for others."""
    decided = Decided.read(event.data)
    if decided.kind == REFUND.name:
        with trail.under_approval(decided.request_id):
            refunds.decide(decided=decided, now=clock.now())
