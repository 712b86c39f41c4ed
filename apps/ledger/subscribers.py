"""What the ledger does because of events of other apps."""

from apps.approvals.contracts import Decided
from apps.events.contracts import Event
from apps.kit import clock, trail
from apps.ledger.contracts import FX_RATE, JOURNAL, PERIOD_REOPEN, REVERSAL
from apps.ledger.services import adjustments, rates, reopenings, reversal_requests


def execute_approval(event: Event) -> None:
    """Do what other people have agreed to: record an exchange rate, reopen a period, book a journal or a reversal; other deeds are for others."""
    decided = Decided.read(event.data)
    with trail.under_approval(decided.request_id):
        if decided.kind == FX_RATE.name:
            rates.decide(decided=decided, now=clock.now())
        elif decided.kind == PERIOD_REOPEN.name:
            reopenings.decide(decided=decided, now=clock.now())
        elif decided.kind == JOURNAL.name:
            adjustments.decide(decided=decided, now=clock.now())
        elif decided.kind == REVERSAL.name:
            reversal_requests.decide(decided=decided, now=clock.now())
