"""Receipts in the portal: a list of facts."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.decorators import display

from apps.invoicing.models import Document
from apps.invoicing.selectors import receipts
from apps.kit.admin import ReadOnlyAdmin, local_time_html, money_html


@admin.register(Document)
class DocumentAdmin(ReadOnlyAdmin):
    """Finance finds receipts here; nobody edits one."""

    list_display = ["number", "payer_column", "branch", "provider_receipt", "created_column", "amount_column"]
    list_select_related = ["branch"]
    search_fields = ["number__exact", "provider_receipt__exact", "payer_phone__exact"]
    search_help_text = "Number, receipt or phone"
    exclude = ["series", "series_number"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Document]:
        return receipts.visible_to(request.user).select_related("branch")

    @display(description="Payer")
    def payer_column(self, receipt: Document) -> str:
        return receipt.payer_name or receipt.payer_phone

    @display(description="Issued")
    def created_column(self, receipt: Document) -> SafeString:
        return local_time_html(receipt.issued_at)

    @display(description="Amount", formatting="price")
    def amount_column(self, receipt: Document) -> SafeString:
        return money_html(receipt.money)
