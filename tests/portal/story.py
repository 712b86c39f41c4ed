"""A morning at an organisation: payments in every state that a page shows, with what they left in the other apps."""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.access.models import Branch
from apps.documents.contracts import PDF, ArtifactKind
from apps.documents.services import artifacts
from apps.events.contracts import NewEvent
from apps.events.models import SandboxInbox, SandboxRequest, WebhookAttempt, WebhookDelivery
from apps.events.services import outbox, sandbox_inboxes, webhook_endpoints
from apps.integrations.contracts import CallbackStatus, CallStatus
from apps.integrations.models import ProviderCall
from apps.integrations.services import callbacks
from apps.invoicing import events as invoicing_events
from apps.invoicing.models import Document
from apps.invoicing.services import receipts
from apps.kit.actors import PROVIDER, SYSTEM, Actor, ActorKind
from apps.kit.money import Money
from apps.payments.models import PaymentAttempt
from apps.payments.services import attempts, intents
from tests.factories import access, payments

NOW = payments.NOW
PDF_BYTES = b"%PDF-1.7 receipt"


@dataclass(frozen=True, slots=True)
class Story:
    """Ids of what the pages are asked for."""

    head_office: Branch
    other_branch: Branch
    paid: UUID
    unknown: UUID
    in_review: UUID
    elsewhere: UUID
    receipt: UUID
    delivery: UUID
    inbox: UUID


@transaction.atomic
def tell(*, now: datetime = NOW) -> Story:
    """
    Write the story into the present organisation and return what it is about.

    Head office holds KES 14,925.00 afterwards (1,500.00, 13,500.00 and 0.00 less half a per cent), the other branch
    KES 2,487.50; KES 1,500.00 is expected, KES 1,500.00 unknown and KES 13,500.00 in suspense.
    """
    office = access.head_office()
    other = access.branch("NBO-CBD", "City centre")
    issued = access.issued()
    payments.account(label="M-Pesa paybill", branch_id=office.id)
    payments.account(label="M-Pesa paybill CBD", branch_id=other.id)
    inbox = sandbox_inboxes.create(application_id=access.application().id, label="Orders", now=now)
    endpoint = webhook_endpoints.create(
        url=sandbox_inboxes.url(inbox), application_id=access.application().id, actor=SYSTEM, now=now
    )
    assert endpoint.endpoint.application_id == access.application().id
    maker = Actor(ActorKind.API_KEY, str(issued.key.id), application=str(issued.key.application_id))
    paid = _paid(maker, now)
    receipt = _receipt(paid, now + timedelta(seconds=36))
    delivery = _told(paid.intent_id, now + timedelta(seconds=38))
    _arrived(inbox, now + timedelta(seconds=38))
    review = _mismatched(now + timedelta(minutes=2))
    payments.waiting(now=now + timedelta(minutes=3), reference="INV-HQ-2026-00003")
    unknown = _unknown(now + timedelta(minutes=4))
    _failed(now + timedelta(minutes=5))
    elsewhere = payments.waiting(
        now=now + timedelta(minutes=6), branch_id=other.id, money=Money(2500_00, "KES"), reference="INV-CBD-1"
    )
    intents.record(
        attempt_id=elsewhere.id,
        report=payments.collected(elsewhere),
        actor=PROVIDER,
        now=now + timedelta(minutes=7),
    )
    return Story(
        head_office=office,
        other_branch=other,
        paid=paid.intent_id,
        unknown=unknown.intent_id,
        in_review=review.intent_id,
        elsewhere=elsewhere.intent_id,
        receipt=receipt.id,
        delivery=delivery.id,
        inbox=inbox.id,
    )


def _paid(maker: Actor, now: datetime) -> PaymentAttempt:
    """One payment with all that can be beside it: push, lost answer, two questions, two callbacks, one of them forged."""
    intent = intents.create(
        request=payments.wanted(reference="INV-HQ-2026-00001", description="Catering, 20 Nov"),
        actor=maker,
        now=now,
    )
    attempt = attempts.begin(intent_id=intent.id, now=now)
    assert attempt is not None
    _call(attempt, "stk_push", now + timedelta(seconds=1), answer={"ResponseCode": "0"})
    attempts.accept(attempt_id=attempt.id, ticket=payments.ticket(), now=now + timedelta(seconds=1))
    for seconds in (12, 22):
        _call(attempt, "stk_query", now + timedelta(seconds=seconds), answer={"errorCode": "500.001.1001"})
    attempt = payments.reloaded(attempt)
    _callback(
        attempt, CallbackStatus.FORGED, "The ticket is of another payment.", now + timedelta(seconds=30)
    )
    report = replace(payments.collected(attempt), receipt="NLJ7RT61SV")
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=now + timedelta(seconds=34))
    _callback(attempt, CallbackStatus.APPLIED, "", now + timedelta(seconds=34))
    return payments.reloaded(attempt)


def _call(attempt: PaymentAttempt, kind: str, at: datetime, *, answer: dict[str, str]) -> None:
    ProviderCall.objects.create(
        account_id=attempt.provider_account_id,
        kind=kind,
        subject_id=attempt.id,
        method="POST",
        url=f"https://provider.example.test/{kind}",
        request_headers={"Authorization": "[redacted]"},
        request_body=json.dumps({"PhoneNumber": "2547*****678", "Password": "[redacted]"}, indent=2),
        status=CallStatus.ANSWERED,
        response_status=200,
        response_body=json.dumps(answer, indent=2),
        elapsed_ms=184,
        called_at=at,
    )


def _callback(attempt: PaymentAttempt, verdict: CallbackStatus, note: str, at: datetime) -> None:
    body = json.dumps(
        {"Body": {"stkCallback": {"CheckoutRequestID": attempt.ticket, "ResultCode": 0}}}
    ).encode()
    stored = callbacks.store(
        token=attempt.callback_token, kind="collection", body=body, headers={}, remote_ip="127.0.0.1", now=at
    )
    callbacks.mark(stored.id, verdict, note, now=at, subject_id=attempt.id)


def _receipt(paid: PaymentAttempt, now: datetime) -> Document:
    intent = payments.reload(paid.intent_id)
    document = receipts.issue(
        payment=receipts.PaidPayment(
            intent_id=intent.id,
            attempt_id=paid.id,
            branch_id=intent.branch_id,
            application_id=intent.application_id,
            money=intent.money,
            payer_name=intent.payer_name,
            payer_phone=intent.payer_phone,
            method="mpesa",
            provider_receipt=paid.provider_receipt,
            reference=intent.reference,
            description=intent.description,
            paid_at=intent.settled_at,
        ),
        now=now,
    )
    uploaded = artifacts.upload(
        kind=ArtifactKind.RECEIPT_PDF,
        content=PDF_BYTES,
        content_type=PDF,
        source_type="document",
        source_id=document.id,
        now=now,
    )
    file, _is_new = artifacts.record(file=uploaded, now=now)
    rendered: NewEvent = invoicing_events.rendered(
        document, sha256=file.sha256, size=file.size, content_type=PDF
    )
    outbox.publish(rendered, now=now + timedelta(seconds=1))
    return document


def _told(intent_id: UUID, at: datetime) -> WebhookDelivery:
    """Deliver payment_success at the second try and leave the other events of the payment waiting."""
    success = WebhookDelivery.objects.get(event__aggregate_id=intent_id, event__type="payment_success")
    for number, (status, error) in enumerate([(503, "HTTP_5XX"), (204, "")], start=1):
        WebhookAttempt.objects.create(
            delivery=success,
            number=number,
            url=success.endpoint.url,
            at=at + timedelta(seconds=5 * number - 5),
            duration_ms=12,
            http_status=status,
            error=error,
            error_detail="The receiver failed." if error else "",
            response_body="try later" if error else "",
        )
        success.attempt_count = success.step = number
    success.deliver(http_status=204, at=at + timedelta(seconds=5))
    success.save()
    return success


def _arrived(inbox: SandboxInbox, at: datetime) -> None:
    for number, is_valid in enumerate((True, False, None)):
        SandboxRequest.objects.create(
            inbox=inbox,
            method="POST",
            headers={"content-type": "application/json", "webhook-id": f"evt_{number}"},
            body=json.dumps({"type": "payment_success", "id": f"evt_{number}"}).encode(),
            webhook_id=f"evt_{number}",
            is_signature_valid=is_valid,
            signature_note="" if is_valid else "No signature matches.",
            answered_status=204,
            received_at=at + timedelta(seconds=number),
        )


def _mismatched(now: datetime) -> PaymentAttempt:
    attempt = payments.waiting(now=now, reference="INV-HQ-2026-00002", money=Money(15_000_00, "KES"))
    report = payments.collected(attempt, money=Money(13_500_00, "KES"))
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=now + timedelta(seconds=20))
    return attempt


def _unknown(now: datetime) -> PaymentAttempt:
    attempt = payments.sending(now=now, reference="INV-HQ-2026-00004")
    attempts.lose(attempt_id=attempt.id, now=now + timedelta(seconds=30))
    return attempt


def _failed(now: datetime) -> None:
    attempt = payments.waiting(now=now, reference="INV-HQ-2026-00005")
    intents.record(
        attempt_id=attempt.id,
        report=payments.declined(attempt),
        actor=PROVIDER,
        now=now + timedelta(seconds=9),
    )
