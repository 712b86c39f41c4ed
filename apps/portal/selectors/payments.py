"""The page of one payment: the payment itself and everything that happened because of it."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from apps.access.selectors.scope import Principal
from apps.documents.services import artifacts
from apps.events.selectors import events
from apps.integrations.selectors import exchanges
from apps.invoicing.selectors import receipts
from apps.kit import errors, ids
from apps.kit.money import total
from apps.payments.contracts import IntentStatus, RefundStatus
from apps.payments.selectors import attempts as payment_attempts
from apps.payments.selectors import disputes, inbound_receipts, intents, refunds, routing
from apps.portal.contracts import (
    Booking,
    DeliveryLine,
    EventLine,
    Fact,
    PartLine,
    PaymentFacts,
    PaymentTimeline,
    ReceiptFacts,
    Step,
)
from apps.portal.selectors import disputes as dispute_pages
from apps.portal.selectors import (
    ledger,
    refund_steps,
    routing_steps,
    states,
    steps,
    unasked_steps,
    webhooks,
    words,
)

SOURCE, INBOUND_SOURCE = "payment_intent", "inbound_receipt"
RECEIPT_STORED = "receipt_rendered"
OPEN = {
    IntentStatus.REQUIRES_METHOD,
    IntentStatus.REQUIRES_CONFIRMATION,
    IntentStatus.PROCESSING,
    IntentStatus.ACTION_REQUIRED,
    IntentStatus.REQUIRES_CAPTURE,
    IntentStatus.UNKNOWN,
}
HANDLING_ORDER = ("DEAD", "PENDING", "SKIPPED", "DONE")


def timeline(intent_id: UUID, caller: Principal, *, permissions: Collection[str]) -> PaymentTimeline:
    """
    Return a payment of the caller's branches; raise NotFound for any other.

    What the reader's permissions do not cover is left out: payloads (``integrations.view``), entries
    (``ledger.view``), events and webhooks (``webhooks.view``), the receipt (``invoicing.view``).
    """
    intent = intents.get(caller, intent_id)
    tries = list(payment_attempts.of_intent(intent_id))
    documents = receipts.of_intent(intent_id) if "invoicing.view" in permissions else []
    published = list(events.of_aggregates([intent_id, *(receipt.id for receipt in documents)]))
    told = _deliveries(published) if "webhooks.view" in permissions else ()
    issued = _issued(documents, published)
    unasked = list(inbound_receipts.of_intent(intent_id))
    disputed = list(disputes.of_intent(intent_id))
    bookings = _booked(intent_id, unasked, disputed, caller) if "ledger.view" in permissions else ()
    happened = [
        *_exchanged(intent, tries, unasked, may_see_raw="integrations.view" in permissions),
        *dispute_pages.of_disputes(disputed),
        *steps.of_bookings(bookings),
        *steps.of_receipts(issued),
        *steps.of_deliveries(told),
    ]
    return PaymentTimeline(
        payment=_facts(intent, tries),
        steps=steps.folded(happened),
        bookings=bookings,
        receipts=issued,
        events=_events(published) if "webhooks.view" in permissions else (),
        deliveries=told,
        identifiers=_identifiers(intent, tries, published),
        disputes=dispute_pages.lines(disputed),
    )


def receipt_pdf(receipt_id: UUID, caller: Principal) -> tuple[str, str, bytes]:
    """
    Return number, SHA-256 and bytes of a receipt's PDF; raise NotFound while there is none or it is not the caller's.

    Raises storage.FileDamaged when the bytes are not those that were stored.
    """
    receipt = receipts.visible_to(caller).filter(id=receipt_id).first()
    file = receipts.file_of(receipt) if receipt else None
    if receipt is None or file is None:
        raise errors.NotFound("There is no such receipt, or its PDF is still being made.")
    return receipt.number, file.sha256, artifacts.read(file_id=file.id)


def _booked(
    intent_id: UUID, unasked: Sequence[Any], disputed: Sequence[Any], caller: Principal
) -> tuple[Booking, ...]:
    """Return what the payment and its disputes caused in the books, and before it the money that was put aside and is of it."""
    held = [receipt.id for receipt in unasked if receipt.booked_at]
    booked = (
        *ledger.of_sources(INBOUND_SOURCE, held, caller),
        *ledger.of_source(SOURCE, intent_id, caller),
        *ledger.of_sources(dispute_pages.SOURCE, [row.id for row in disputed], caller),
    )
    return tuple(sorted(booked, key=lambda booking: booking.posted_at))


def _exchanged(intent: Any, tries: list[Any], unasked: Sequence[Any], *, may_see_raw: bool) -> list[Step]:
    given_back = list(refunds.of_intent(intent.id))
    subjects = [row.id for row in (*tries, *given_back, *unasked)]
    facts = intents.timeline_facts(intent.id)
    routed = routing.of_intent(intent.id)
    calls = exchanges.calls_of(subjects)
    return [
        *steps.of_intent(intent, facts, maker=words.actor(intent.created_by)),
        *routing_steps.of_decisions(routed, routing.account_names(routed), rank=steps.RANKS["routed"]),
        *steps.of_attempts(tries, facts, calls, may_see_raw=may_see_raw),
        *unasked_steps.of_inbound(unasked),
        *refund_steps.of_refunds(given_back, calls, may_see_raw=may_see_raw),
        *steps.of_questions(calls, may_see_raw=may_see_raw),
        *steps.of_callbacks(exchanges.callbacks_of(subjects), may_see_raw=may_see_raw),
    ]


def _facts(intent: Any, tries: list[Any]) -> PaymentFacts:
    attempt = intent.current_attempt
    has_money = attempt is not None and attempt.surrendered_at is None
    parts = list(payment_attempts.parts(intent.id)) if intent.is_in_parts else []
    paying = parts or ([attempt] if has_money else [])
    refunded = total(one.refunded for one in paying if one.refunded_minor)
    when, took = _when(intent, tries)
    account = next((one.provider_account for one in tries if attempt and one.id == attempt.id), None)
    phone = words.phone(intent.payer_phone)
    receipt = attempt.provider_receipt if attempt else ""
    return PaymentFacts(
        id=intent.id,
        title=", ".join(text for text in (intent.payer_name or phone, receipt or intent.reference) if text)
        or str(intent.money),
        status=str(intent.status),
        badge=states.PAYMENT[intent.status],
        money=intent.money,
        received=total(one.received for one in paying),
        fee=total(one.fee for one in paying),
        held=attempt.held if attempt else None,
        credited=attempt.settled if attempt and has_money else None,
        rate=f"{attempt.rate.normalize():f}" if attempt and attempt.rate else "",
        is_fee_reported=bool(attempt and attempt.is_fee_reported),
        refunded=refunded,
        refund_badge=states.REFUND[RefundStatus.SUCCEEDED] if refunded else None,
        due=intent.due if intent.is_partly_paid and intent.due.is_positive else None,
        parts=tuple(
            PartLine(
                one.booked_at,
                one.provider_receipt,
                one.received,
                one.refunded if one.refunded_minor else None,
            )
            for one in parts
        ),
        when=when,
        took=took,
        payer_name=intent.payer_name,
        phone=phone,
        reference=intent.reference,
        description=intent.description,
        rail=words.rail(intent.method) if intent.method else "",
        rail_account=str(account) if account else "",
        other_rails=_other_rails(intent),
        card=attempt.card if attempt else "",
        branch=intent.branch.name,
        application=intent.application.name,
        is_open=intent.status in OPEN,
        notice=_notice(intent, attempt),
    )


def _other_rails(intent: Any) -> str:
    """Return the other methods by which the payer of an open payment may still be asked."""
    others = [words.rail(method) for method in intent.methods if method != intent.method]
    return ", ".join(others) if intent.status in OPEN else ""


def _when(intent: Any, tries: Iterable[Any]) -> tuple[datetime, str]:
    """Return since when the payment is in its state, and how long it took where it has ended."""
    ended = intent.settled_at or intent.closed_at
    if ended:
        return ended, words.elapsed(intent.created_at, ended)
    lost = [attempt.unknown_at for attempt in tries if attempt.unknown_at]
    return (lost[-1] if lost and intent.status == IntentStatus.UNKNOWN else intent.created_at), ""


def _notice(intent: Any, attempt: Any) -> str:
    """Return what the reader must know before he does anything, or an empty text."""
    if intent.status == IntentStatus.UNKNOWN:
        said = _(
            "%(rail)s has not said what became of the request, so the money may have moved. Do not ask the payer again. A late answer settles it by itself; a receipt that the payer shows can be verified."
        ) % {"rail": words.rail(intent.method)}
        return f"{said} {_how_it_ends(attempt)}"
    if intent.status != IntentStatus.IN_REVIEW or not attempt or not attempt.received:
        return ""
    facts = {"received": attempt.received, "asked": intent.money, "refusal": attempt.late_refund_refusal}
    said = (
        _("%(received)s arrived, %(asked)s was asked for. The money waits in suspense for a person.") % facts
    )
    if not attempt.late_refund_refusal:
        return said
    return said + " " + _("It was to go back by itself, which was refused: %(refusal)s") % facts


def _how_it_ends(attempt: Any) -> str:
    if attempt and attempt.verdict_by:
        return _("Other people are asked to agree that nothing was collected.")
    return _("After a day people can close it as not paid, where the statement shows no money.")


def _issued(documents: list[Any], published: Iterable[Any]) -> tuple[ReceiptFacts, ...]:
    files = receipts.files_of(documents)
    stored = {event.aggregate_id: event.occurred_at for event in published if event.type == RECEIPT_STORED}
    return tuple(
        ReceiptFacts(
            one.id,
            one.number,
            one.issued_at,
            files[one.id].sha256 if one.id in files else "",
            stored.get(one.id),
        )
        for one in documents
    )


def _deliveries(published: Iterable[Any]) -> tuple[DeliveryLine, ...]:
    found = []
    for event in published:
        for delivery in event.webhook_deliveries.all():
            delivery.event = event
            found.append(webhooks.line(delivery))
    return tuple(found)


def _events(published: Iterable[Any]) -> tuple[EventLine, ...]:
    found = []
    for event in published:
        handlings = list(event.deliveries.all())
        present = {str(handling.status) for handling in handlings}
        worst = next((status for status in HANDLING_ORDER if status in present), "DONE")
        note = next((handling.last_error for handling in handlings if handling.last_error), "")
        found.append(
            EventLine(
                event.type,
                event.occurred_at,
                event.audience == "INTERNAL",
                states.HANDLING[worst],
                note[:200],
            )
        )
    return tuple(found)


def _identifiers(intent: Any, tries: Iterable[Any], published: Iterable[Any]) -> tuple[Fact, ...]:
    facts = [Fact(_("Intent"), ids.encode("pi", intent.id)), Fact(_("Paybill code"), intent.code)]
    for attempt in tries:
        facts += [
            Fact(name, text)
            for name, text in (
                (_("Code"), attempt.code),
                (_("Ticket"), attempt.ticket),
                (_("Receipt"), attempt.provider_receipt),
            )
            if text
        ]
    request_id = next((event.request_id for event in published if event.request_id), "")
    return (*facts, *([Fact(_("Request id"), request_id)] if request_id else []))
