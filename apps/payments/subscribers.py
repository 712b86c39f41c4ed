"""What payments does because of events of other apps."""

from uuid import UUID

from apps.approvals.contracts import Decided
from apps.events.contracts import Event
from apps.kit import clock, trail
from apps.payments.contracts import DISPUTE_ACCEPTANCE, REFUND, ROUTING_RULE
from apps.payments.contracts.verdicts import PAYMENT_VERDICT, REFUND_VERDICT
from apps.payments.services import (
    callbacks,
    dispute_answers,
    payment_verdicts,
    refund_verdicts,
    refunds,
    routing_rules,
    webhooks,
)


def apply_callback(event: Event) -> None:
    """Record what a provider reported."""
    callbacks.apply(callback_id=UUID(event.data["callback_id"]), now=clock.now())


def apply_webhook(event: Event) -> None:
    """Follow a signed message of a provider; outside a transaction, for its proof may have to be fetched."""
    webhooks.apply(callback_id=UUID(event.data["callback_id"]), now=clock.now())


def execute_approval(event: Event) -> None:
    """Do what other people have decided: send or cancel a refund, close an unknown one or an unknown payment, give up a dispute, change the routing rules; other deeds are for others."""
    decided = Decided.read(event.data)
    with trail.under_approval(decided.request_id):
        if decided.kind == REFUND.name:
            refunds.decide(decided=decided, now=clock.now())
        elif decided.kind == REFUND_VERDICT.name:
            refund_verdicts.decide(decided=decided, now=clock.now())
        elif decided.kind == PAYMENT_VERDICT.name:
            payment_verdicts.decide(decided=decided, now=clock.now())
        elif decided.kind == DISPUTE_ACCEPTANCE.name:
            dispute_answers.decide(decided=decided, now=clock.now())
        elif decided.kind == ROUTING_RULE.name:
            routing_rules.decide(decided=decided, now=clock.now())
