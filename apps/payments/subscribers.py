"""What payments does because of events of other apps."""

from uuid import UUID

from apps.events.contracts import Event
from apps.kit import clock
from apps.payments.services import callbacks


def apply_callback(event: Event) -> None:
    """Record what a provider reported."""
    callbacks.apply(callback_id=UUID(event.data["callback_id"]), now=clock.now())
