"""The list of receipts as an export: what the screen shows, phones masked as there."""

from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from apps.invoicing.contracts import DocumentType
from apps.invoicing.models import Document
from apps.jobs.contracts import Column, Reach, Source, ValueKind, declare_source
from apps.kit import ids
from apps.kit.admin import masked_phone


def _rows(reach: Reach) -> QuerySet[Document]:
    receipts = Document.objects.filter(document_type=DocumentType.RECEIPT)
    if reach.branch_ids is not None:
        receipts = receipts.filter(branch_id__in=reach.branch_ids)
    if reach.application_ids is not None:
        receipts = receipts.filter(application_id__in=reach.application_ids)
    return receipts.order_by("-id")


def _found_by(receipts: QuerySet[Document], term: str) -> QuerySet[Document]:
    term = term.strip()
    return receipts.filter(Q(number=term) | Q(provider_receipt=term) | Q(payer_phone=term))


def _payment(value: UUID) -> str:
    return ids.encode("pi", value)


RECEIPTS = declare_source(
    Source(
        name="receipts",
        title=_("Receipts"),
        permission="invoicing.view",
        scope="receipts:read",
        columns=(
            Column(_("Issued"), "issued_at", ValueKind.INSTANT),
            Column(_("Number"), "number"),
            Column(_("Branch"), "branch__name"),
            Column(_("Payer"), "payer_name"),
            Column(_("Phone"), "payer_phone", shown=masked_phone),
            Column(_("Provider receipt"), "provider_receipt"),
            Column(_("Reference"), "reference"),
            Column(_("Payment"), "intent_id", shown=_payment),
            Column(_("Paid"), "paid_at", ValueKind.INSTANT),
            Column(_("Amount"), "amount_minor", ValueKind.MONEY, "currency"),
        ),
        rows=_rows,
        branch_field="branch_id",
        day_field="issued_at",
        search=_found_by,
        list_names={"q": "search"},
    )
)
