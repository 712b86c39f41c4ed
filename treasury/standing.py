"""How an organisation stands: what waits in it, and what somebody must look at."""

from dataclasses import dataclass
from datetime import datetime

from apps.approvals.selectors import requests
from apps.events.selectors import deliveries, webhooks
from apps.integrations.selectors import accounts
from apps.jobs.selectors import jobs
from apps.kit import schema
from apps.payments.contracts import IntentStatus
from apps.payments.selectors import intents, refunds
from apps.tenancy.services import schemas


@dataclass(frozen=True, slots=True)
class Fact:
    """How many of something there are, whether that is wrong, and what to do then."""

    what: str
    count: int
    is_wrong: bool = False
    advice: str = ""


def facts(*, now: datetime) -> list[Fact]:
    """Return the standing of the present organisation; counts rows, locks nothing."""
    payments = intents.everything()
    unknown = payments.filter(status=IntentStatus.UNKNOWN).count()
    in_review = payments.filter(status=IntentStatus.IN_REVIEW).count()
    lost = refunds.with_status("UNKNOWN").count()
    dead = deliveries.with_status("DEAD").count()
    given_up = webhooks.endpoints(application_id=None, branch_ids=None).filter(status="AUTO_DISABLED").count()
    waiting = requests.within(None, None).pending()
    overdue = waiting.overdue(now=now).count()
    closed = sum(not account.is_enabled for account in accounts.everything())
    drift = len(schemas.drift(schema.name()))
    return [
        Fact("payments of which nobody knows", unknown, unknown > 0, "docs/runbooks/unknown-payment.md"),
        Fact("refunds of which nobody knows", lost, lost > 0, "docs/runbooks/unknown-refund.md"),
        Fact("payments in review", in_review),
        Fact("dead letters", dead, dead > 0, "docs/runbooks/dead-letter.md"),
        Fact(
            "endpoints switched off for failing",
            given_up,
            given_up > 0,
            "docs/runbooks/webhook-endpoint-disabled.md",
        ),
        Fact("webhooks given up", webhooks.with_status("EXHAUSTED").count()),
        Fact("approvals that wait", waiting.count()),
        Fact("approvals overdue", overdue, overdue > 0, "approval expire: the sweep does not run"),
        Fact("jobs that wait or run", jobs.live().count()),
        Fact("provider accounts closed", closed),
        Fact("differences of the schema from the template", drift, drift > 0, "tenant migrate"),
    ]
