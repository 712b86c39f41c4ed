"""Checks: whether money that a payer is about to send may come in, answered at once by the organisation's terms."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import BooleanField, ExpressionWrapper, F, Q, Value

from apps.integrations.ports import InboundCheck, InboundReport
from apps.integrations.selectors import accounts
from apps.kit.money import Money
from apps.payments.contracts import CollectionTerms, IntentStatus
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
    if asked is None or not asked.is_waiting:
        return InboundCheck.BAD_ACCOUNT if terms.refuses_unknown else InboundCheck.ACCEPT
    is_fit = asked.due == report.money or (
        asked.is_paid_in_parts(terms)
        and report.money.currency == asked.due.currency
        and report.money < asked.due
    )
    return InboundCheck.BAD_AMOUNT if terms.refuses_other_sums and not is_fit else InboundCheck.ACCEPT


@dataclass(frozen=True, slots=True)
class Asked:
    """What a payment waits for whose code was typed; ``has_parts``: less than that may pay a part of it."""

    due: Money
    status: IntentStatus
    has_parts: bool

    @property
    def is_waiting(self) -> bool:
        return self.status in LIVE_STATES or (self.has_parts and self.status == IntentStatus.PARTIALLY_PAID)

    def is_paid_in_parts(self, terms: CollectionTerms) -> bool:
        return self.has_parts and (terms.takes_parts or self.status == IntentStatus.PARTIALLY_PAID)


def _asked(account_id: UUID, key: str) -> Asked | None:
    """
    Return what the payment waits for whose code was typed, or that of one of its attempts at this account or one that is the same at
    the provider: one query.
    """
    if not key:
        return None
    of_attempt = PaymentAttempt.objects.filter(
        code=key, provider_account__in=accounts.alike_by_id(account_id)
    )
    of_intent = PaymentIntent.objects.filter(code=key).values_list(
        F("amount_minor") - F("paid_minor"),
        "currency",
        "status",
        ExpressionWrapper(Q(is_captured=True, cancel_requested_at=None), output_field=BooleanField()),
    )
    asked = of_attempt.values_list("amount_minor", "currency", "intent__status", Value(value=False))
    found = next(iter(of_intent.union(asked, all=True)), None)
    if found is None:
        return None
    due, currency, status, has_parts = found
    return Asked(Money(int(due), currency), IntentStatus(status), has_parts)
