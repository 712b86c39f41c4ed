"""The list of refunds in the organisation's admin: to read, to find, and to open the page of the payment."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.kit import errors
from apps.kit.admin import ReadOnlyAdmin, badge, local_time_html, money_html
from apps.kit.dialog_admin import exporting
from apps.kit.status_filter import StatusFilter
from apps.payments.admin.filters import BranchFilter, CreatedFilter
from apps.payments.contracts import RefundStatus
from apps.payments.dialogs.refund_verdicts import CloseUnknownRefund
from apps.payments.dialogs.refunds import VerifyRefund
from apps.payments.models import Refund
from apps.payments.selectors import refunds

BADGES: Mapping[RefundStatus, tuple[str, str, Any]] = {
    RefundStatus.AWAITING_APPROVAL: ("held", "approval", _("Waits for approval")),
    RefundStatus.REQUESTED: ("pending", "schedule_send", _("To be sent")),
    RefundStatus.SENDING: ("pending", "schedule_send", _("Sending")),
    RefundStatus.PENDING: ("pending", "hourglass_top", _("Pending")),
    RefundStatus.UNKNOWN: ("unknown", "help", _("Unknown")),
    RefundStatus.SUCCEEDED: ("done", "undo", _("Refunded")),
    RefundStatus.FAILED: ("failed", "cancel", _("Failed")),
    RefundStatus.CANCELLED: ("quiet", "block", _("Cancelled")),
}
NOT_GIVEN_BACK = {RefundStatus.FAILED, RefundStatus.CANCELLED}


class RefundStatusFilter(StatusFilter):
    words = {state: BADGES[state][2] for state in RefundStatus}


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    """Refunds of the reader's branches, newest first; each opens the page of its payment."""

    list_display = [
        "created_column",
        "receipts_column",
        "reason_column",
        "branch",
        "status_column",
        "amount_column",
    ]
    list_display_links = ["receipts_column"]
    list_filter = [RefundStatusFilter, BranchFilter, ("created_at", CreatedFilter)]
    list_filter_submit = True
    empty_text = _("A refund appears here when somebody gives a payment back.")
    search_fields = ["payment_receipt"]
    search_help_text = _("Receipt of the payment or of the refund")
    dialogs = [VerifyRefund, CloseUnknownRefund, exporting("refunds")]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Refund]:
        return refunds.visible_to(request.user).select_related("branch")

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 (Django's signature)
        queryset: QuerySet[Refund],
        search_term: str,
    ) -> tuple[QuerySet[Refund], bool]:
        """Find exactly: part of a receipt finds nothing."""
        return refunds.found_by(queryset, search_term), False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002 (Django's signature)
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002 (Django's signature)
    ) -> HttpResponse:
        """Open the page of the payment for who may know which payment it is."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            refund = refunds.get(request.user, UUID(object_id))
        except (ValueError, errors.NotFound):
            raise Http404 from None
        return redirect("portal-payment", refund.intent_id)

    @admin.display(description=_("Asked"))
    def created_column(self, refund: Refund) -> SafeString:
        return local_time_html(refund.created_at, seconds=True)

    @admin.display(description=_("Payment and refund"))
    def receipts_column(self, refund: Refund) -> SafeString:
        return format_html(
            '<span class="two"><b class="t-ref">{}</b><span class="t-ref">{}</span></span>',
            refund.payment_receipt,
            refund.provider_receipt or _("no receipt yet"),
        )

    @admin.display(description=_("Reason"))
    def reason_column(self, refund: Refund) -> str:
        return refund.reason

    @admin.display(description=_("Status"))
    def status_column(self, refund: Refund) -> SafeString:
        return badge(*BADGES[RefundStatus(refund.status)])

    @admin.display(description=_("Amount"))
    def amount_column(self, refund: Refund) -> SafeString:
        return money_html(refund.money, css="t-sub" if refund.status in NOT_GIVEN_BACK else "")
