"""What other people are asked about a refund, where a rule wants that."""

from apps.approvals.contracts import Named, NewRequest
from apps.kit import ids
from apps.parties.contracts import PARTY
from apps.parties.selectors import parties
from apps.payments import events
from apps.payments.contracts import REFUND
from apps.payments.models import Refund


def payload(refund: Refund) -> dict[str, str]:
    """Return everything that is approved of a refund."""
    return {
        "refund": ids.encode("re", refund.id),
        "payment": ids.encode("pi", refund.intent_id),
        "receipt": refund.payment_receipt,
        "amount": refund.money.text,
        "currency": refund.currency,
        "reason": refund.reason,
    }


def names(refund: Refund) -> tuple[Named, ...]:
    """Return the rows that a request about a refund is about: who made or changed one does not decide."""
    return (
        Named(events.REFUND_AGGREGATE, ids.encode("re", refund.id)),
        Named(events.AGGREGATE, ids.encode("pi", refund.intent_id), made_by=refund.intent.created_by),
        *(Named(PARTY, str(party.id)) for party in parties.of_phone(refund.intent.payer_phone)),
    )


def asked(refund: Refund) -> NewRequest:
    """Return what other people are asked about a refund."""
    return NewRequest(
        kind=REFUND,
        subject_id=refund.id,
        subject_reference=ids.encode("re", refund.id),
        payload=payload(refund),
        names=names(refund),
        branch_id=refund.branch_id,
        application_id=refund.application_id,
        summary=f"Refund {refund.money} of receipt {refund.payment_receipt}: {refund.reason}",
        money=refund.money,
        counterparty=_counterparty(refund),
    )


def _counterparty(refund: Refund) -> str:
    """Return who gets the money: his phone, else his e-mail, else all that one payment brought: parts of it belong together."""
    intent = refund.intent
    return intent.payer_phone or intent.payer_email or ids.encode("pi", intent.id)
