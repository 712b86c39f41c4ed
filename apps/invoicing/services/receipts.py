"""Issue receipts and render them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from apps.access.selectors import branches
from apps.documents.contracts import PDF, ArtifactKind, StoredFile
from apps.documents.selectors import artifacts as stored_artifacts
from apps.documents.services import artifacts, logos, pdf
from apps.events.services import outbox
from apps.invoicing import events, rendering
from apps.invoicing.contracts import SOURCE_TYPE, DocumentType
from apps.invoicing.models import Document, NumberSeries
from apps.invoicing.services import number_series
from apps.kit.compiled import Compiled, Inserted
from apps.kit.money import Money
from apps.tenancy.selectors import organisations

if TYPE_CHECKING:
    from apps.access.models import Branch


@dataclass(frozen=True, slots=True)
class PaidPart:
    """What a sum is a part of, and what is left to pay after it."""

    asked: Money
    left: Money


@dataclass(frozen=True, slots=True)
class PaidPayment:
    """What a receipt says of the payment that it is for, or of the part of one: the money of one attempt."""

    intent_id: UUID
    attempt_id: UUID
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
    part: PaidPart | None = None


_ISSUED = Inserted[Document]()
_OF_ATTEMPT = Compiled(
    lambda attempt_id: Document.objects.filter(attempt_id=attempt_id, document_type=DocumentType.RECEIPT),
    UUID,
)


def issue(*, payment: PaidPayment, now: datetime) -> Document:
    """Issue the receipt of a payment; see ``issue_batch``."""
    (receipt,) = issue_batch(payments=[payment], now=now)
    return receipt


@transaction.atomic
def issue_batch(*, payments: Sequence[PaidPayment], now: datetime) -> list[Document]:
    """
    Issue the receipts of payments and announce them, all or nothing; return them in their order. The money of an attempt has one
    receipt, so a repeat returns the first.

    The numbers are taken under the locks of their series (branch and local year of ``now``), which are taken in one order: numbers
    have no gaps.
    """
    by_branch = defaultdict[UUID, list[PaidPayment]](list)
    for payment in payments:
        by_branch[payment.branch_id].append(payment)
    issued = {
        receipt.attempt_id: receipt
        for branch_id in sorted(by_branch)
        for receipt in _of_branch(branch_id, by_branch[branch_id], now=now)
    }
    return [issued[payment.attempt_id] for payment in payments]


def _of_branch(branch_id: UUID, payments: Sequence[PaidPayment], *, now: datetime) -> list[Document]:
    branch = branches.get(branch_id)
    series = number_series.locked(document_type=DocumentType.RECEIPT, branch_id=branch.id, now=now)
    existing = [found for one in payments if (found := _OF_ATTEMPT.first(one.attempt_id)) is not None]
    before = {receipt.attempt_id for receipt in existing}
    receipts = [_made(one, series, branch, now=now) for one in payments if one.attempt_id not in before]
    if receipts:
        number_series.save(series)
        _ISSUED.insert(*receipts)
        outbox.publish(*(events.issued(receipt) for receipt in receipts), now=now, is_first=True)
    return [*existing, *receipts]


def _made(payment: PaidPayment, series: NumberSeries, branch: "Branch", *, now: datetime) -> Document:
    number = series.take()
    return Document(
        document_type=DocumentType.RECEIPT,
        series=series,
        series_number=number,
        number=series.text(number, branch_code=branch.code),
        branch_id=branch.id,
        application_id=payment.application_id,
        intent_id=payment.intent_id,
        attempt_id=payment.attempt_id,
        currency=payment.money.currency,
        amount_minor=payment.money.minor,
        part_of_minor=payment.part.asked.minor if payment.part else None,
        left_minor=payment.part.left.minor if payment.part else None,
        payer_name=payment.payer_name,
        payer_phone=payment.payer_phone,
        method=payment.method,
        provider_receipt=payment.provider_receipt,
        reference=payment.reference,
        description=payment.description,
        organisation_name=organisations.current().name,
        branch_name=branch.name,
        paid_at=payment.paid_at,
        issued_at=now,
    )


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
