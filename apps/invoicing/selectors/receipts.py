"""Find receipts and their files, within what the caller may see."""

from uuid import UUID

from django.db.models import QuerySet

from apps.access.selectors import scope
from apps.documents.contracts import ArtifactKind, StoredFile
from apps.documents.selectors import artifacts
from apps.invoicing.contracts import SOURCE_TYPE, DocumentType
from apps.invoicing.models import Document


def visible_to(caller: scope.Principal) -> QuerySet[Document]:
    """Return the receipts of the branches that the caller may see; a key sees those of its own application."""
    receipts = Document.objects.filter(document_type=DocumentType.RECEIPT)
    branch_ids = scope.branch_ids(caller)
    application_ids = scope.application_ids(caller)
    if branch_ids is not None:
        receipts = receipts.filter(branch_id__in=branch_ids)
    return receipts if application_ids is None else receipts.filter(application_id__in=application_ids)


def of_intent(intent_id: UUID) -> list[Document]:
    """Return the receipts of a payment, one for each part of it, in their order; none while none is issued."""
    receipts = Document.objects.filter(document_type=DocumentType.RECEIPT, intent_id=intent_id)
    return list(receipts.order_by("paid_at", "id"))


def file_of(receipt: Document) -> StoredFile | None:
    """Return the PDF of a receipt, or None while it is being rendered."""
    return artifacts.of_source(SOURCE_TYPE, receipt.id, ArtifactKind.RECEIPT_PDF)


def files_of(receipts: list[Document]) -> dict[UUID, StoredFile]:
    """Return the PDFs of many receipts by receipt id, in one query."""
    return artifacts.of_sources(SOURCE_TYPE, [receipt.id for receipt in receipts], ArtifactKind.RECEIPT_PDF)
