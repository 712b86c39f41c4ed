"""Checks: whether money that a payer is about to send may come in, answered at once by the organisation's terms."""

from datetime import datetime
from uuid import UUID

from apps.integrations.ports import InboundCheck, InboundReport
from apps.integrations.selectors import accounts
from apps.payments.contracts import IntentStatus
from apps.payments.models import PaymentAttempt, PaymentIntent
from apps.payments.models.inbound import reference_key
from apps.payments.models.intent import LIVE_STATES
from apps.payments.selectors import policies


def decide(*, account_id: UUID, report: InboundReport, now: datetime) -> InboundCheck:  # noqa: ARG001 (the same at any time)
    """
    Say whether money may come in. Writes nothing, and asks for the terms and once for the payment.

    What nobody refuses comes in: it is booked whatever it is of.
    """
    terms = policies.current()
    if not terms.refuses_unknown and not terms.refuses_other_sums:
        return InboundCheck.ACCEPT
    asked = _asked(account_id, reference_key(report.reference))
    if asked is None or asked[2] not in LIVE_STATES:
        return InboundCheck.BAD_ACCOUNT if terms.refuses_unknown else InboundCheck.ACCEPT
    is_as_asked = asked[:2] == (report.money.minor, report.money.currency)
    return InboundCheck.BAD_AMOUNT if terms.refuses_other_sums and not is_as_asked else InboundCheck.ACCEPT


def _asked(account_id: UUID, key: str) -> tuple[int, str, IntentStatus] | None:
    """
    Return sum, currency and state of the payment whose code was typed, or that of one of its attempts at this account or one
    that is the same at the provider: one query.
    """
    if not key:
        return None
    of_attempt = PaymentAttempt.objects.filter(
        code=key, provider_account__in=accounts.alike_by_id(account_id)
    )
    of_intent = PaymentIntent.objects.filter(code=key).values_list("amount_minor", "currency", "status")
    both = of_intent.union(of_attempt.values_list("amount_minor", "currency", "intent__status"), all=True)
    found = next(iter(both), None)
    return (int(found[0]), found[1], IntentStatus(found[2])) if found else None
