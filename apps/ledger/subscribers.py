"""What the ledger does because of events of other apps."""

from apps.approvals.contracts import Decided
from apps.events.contracts import Event
from apps.kit import clock
from apps.ledger.contracts import FX_RATE
from apps.ledger.services import rates


def execute_approval(event: Event) -> None:
    """Record an exchange rate that other people have agreed to; decisions about other deeds are for others."""
    decided = Decided.read(event.data)
    if decided.kind == FX_RATE.name:
        rates.decide(decided=decided, now=clock.now())
