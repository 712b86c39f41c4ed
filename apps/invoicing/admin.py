"""Receipts in the portal: a list of facts."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.invoicing.models import Document
from apps.invoicing.selectors import receipts
from apps.kit import ids
from apps.kit.admin import ReadOnlyAdmin, Total, local_time_html, masked_phone, money_html, totals
from apps.kit.dialog_admin import exporting


@admin.register(Document)
class DocumentAdmin(ReadOnlyAdmin):
    """Finance finds receipts here, by a whole phone number too, and sees numbers masked; nobody edits one."""

    list_display = ["number", "payer_column", "branch", "provider_receipt", "created_column", "amount_column"]
    list_select_related = ["branch"]
    search_fields = ["number__exact", "provider_receipt__exact", "payer_phone__exact"]
    search_help_text = _("Number, receipt or phone")
    dialogs = [exporting("receipts")]
    exclude = ["series", "series_number", "payer_phone", "intent", "attempt"]
    readonly_fields = ["phone_column", "payment_column"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Document]:
        return receipts.visible_to(request.user).select_related("branch")

    def totals(self, rows: QuerySet[Document]) -> list[Total]:
        return totals(rows, counted=Q(pk__isnull=False), word=_("Receipts"))

    @display(description=_("Payer"))
    def payer_column(self, receipt: Document) -> str:
        return receipt.payer_name or masked_phone(receipt.payer_phone)

    @display(description=_("Payer phone"))
    def phone_column(self, receipt: Document) -> str:
        return masked_phone(receipt.payer_phone)

    @display(description=_("Payment"))
    def payment_column(self, receipt: Document) -> SafeString:
        return format_html(
            '<a class="t-ref" href="{}">{}</a>',
            reverse("admin:payments_paymentintent_change", args=[receipt.intent_id]),
            ids.encode("pi", receipt.intent_id),
        )

    @display(description=_("Issued"))
    def created_column(self, receipt: Document) -> SafeString:
        return local_time_html(receipt.issued_at)

    @display(description=_("Amount"), formatting="price")
    def amount_column(self, receipt: Document) -> SafeString:
        return money_html(receipt.money)
