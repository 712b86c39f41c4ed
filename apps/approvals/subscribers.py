"""What approvals does because of its own events: a change of the rules that somebody else has agreed to."""

from apps.approvals.contracts import RULE_CHANGE, Decided
from apps.approvals.services import rule_changes
from apps.events.contracts import Event
from apps.kit import clock, trail


def execute_approval(event: Event) -> None:
    """Change the rules as other people have agreed to; decisions about other deeds are for others."""
    decided = Decided.read(event.data)
    if decided.kind == RULE_CHANGE.name:
        with trail.under_approval(decided.request_id):
            rule_changes.decide(decided=decided, now=clock.now())
