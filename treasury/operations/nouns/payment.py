"""Payments of payers."""

from apps.kit import errors, ids
from apps.payments.models import PaymentIntent
from apps.payments.selectors import intents as stored
from apps.payments.services import intents
from treasury.operations.calls import Answer, Call


def show(call: Call) -> Answer:
    intent = _named(call)
    rows = [
        {"at": fact.at, "what": fact.kind, "attempt": fact.attempt_number or "", "detail": fact.detail}
        for fact in stored.timeline_facts(intent.id)
    ]
    return Answer(f"{ids.encode('pi', intent.id)}: {intent.money}, {intent.status.lower()}", rows)


def verify(call: Call) -> Answer:
    intent, receipt = _named(call), call.given["receipt"]
    if receipt:
        intents.verify(
            intent_id=intent.id, receipt=receipt, reason=call.reason, actor=call.actor, now=call.now
        )
        return Answer(f"The provider is asked about receipt {receipt}. Look with: payment show")
    intents.ask(intent_id=intent.id, reason=call.reason, actor=call.actor, now=call.now)
    return Answer("The provider is asked about the attempt. Look with: payment show")


def _named(call: Call) -> PaymentIntent:
    found = list(stored.found_by(stored.everything(), call.given["payment"])[:2])
    if not found:
        raise errors.NotFound("There is no such payment.")
    if len(found) > 1:
        raise errors.NotFound("Several payments are called so: give the id of one.")
    return found[0]
