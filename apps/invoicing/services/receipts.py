"""Issue receipts and render them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.access.selectors import branches
from apps.documents.contracts import PDF, ArtifactKind, StoredFile
from apps.documents.selectors import artifacts as stored_artifacts
from apps.documents.services import artifacts, logos, pdf
from apps.events.services import outbox
from apps.invoicing import events, rendering
from apps.invoicing.contracts import SOURCE_TYPE, DocumentType
from apps.invoicing.models import Document
from apps.invoicing.services import number_series
from apps.kit.compiled import Compiled, Inserted
from apps.kit.money import Money
from apps.tenancy.selectors import organisations


@dataclass(frozen=True, slots=True)
class PaidPayment:
    """What a receipt says of the payment that it is for."""

    intent_id: UUID
    branch_id: UUID
    application_id: UUID
    money: Money
    payer_name: str
    payer_phone: str
    method: str
    provider_receipt: str
    reference: str
    description: str
    paid_at: datetime


_ISSUED = Inserted[Document]()
_OF_INTENT = Compiled(
    lambda intent_id: Document.objects.filter(intent_id=intent_id, document_type=DocumentType.RECEIPT), UUID
)


@transaction.atomic
def issue(*, payment: PaidPayment, now: datetime) -> Document:
    """
    Issue the receipt of a payment and announce it; a payment has one receipt, so a repeat returns the first.

    The number is taken under the lock of its series (branch and local year of ``now``): numbers have no gaps.
    """
    organisation = organisations.current()
    branch = branches.get(payment.branch_id)
    series = number_series.locked(document_type=DocumentType.RECEIPT, branch_id=branch.id, now=now)
    existing = _OF_INTENT.first(payment.intent_id)
    if existing is not None:
        return existing
    number = series.take()
    number_series.save(series)
    receipt = Document(
        document_type=DocumentType.RECEIPT,
        series=series,
        series_number=number,
        number=series.text(number, branch_code=branch.code),
        branch_id=branch.id,
        application_id=payment.application_id,
        intent_id=payment.intent_id,
        currency=payment.money.currency,
        amount_minor=payment.money.minor,
        payer_name=payment.payer_name,
        payer_phone=payment.payer_phone,
        method=payment.method,
        provider_receipt=payment.provider_receipt,
        reference=payment.reference,
        description=payment.description,
        organisation_name=organisation.name,
        branch_name=branch.name,
        paid_at=payment.paid_at,
        issued_at=now,
    )
    _ISSUED.insert(receipt)
    outbox.publish(events.issued(receipt), now=now, is_first=True)
    return receipt


def render(*, receipt_id: UUID, now: datetime) -> StoredFile:
    """
    Render the PDF of a receipt, store it once and announce it; a repeat returns the stored file.

    Call it outside a transaction: the bytes go into the storage first, and only what lies there is recorded.
    """
    receipt = Document.objects.get(id=receipt_id)
    existing = stored_artifacts.of_source(SOURCE_TYPE, receipt.id, ArtifactKind.RECEIPT_PDF)
    if existing is not None:
        return existing
    pictures = logos.drawn()
    uploaded = artifacts.upload(
        kind=ArtifactKind.RECEIPT_PDF,
        content=pdf.render(
            html=rendering.receipt_html(receipt, pictures=pictures), style=rendering.STYLE, pictures=pictures
        ),
        content_type=PDF,
        source_type=SOURCE_TYPE,
        source_id=receipt.id,
        now=now,
    )
    with transaction.atomic():
        file, is_new = artifacts.record(file=uploaded, now=now)
        if is_new:
            announcement = events.rendered(
                receipt, sha256=file.sha256, size=file.size, content_type=file.content_type
            )
            outbox.publish(announcement, now=now)
    return file
