"""The list of payments whose money waits in suspense: late, of another sum, or a second time."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.kit import clock
from apps.kit.admin import ReadOnlyAdmin, Total, badge, masked_phone, money_html, totals
from apps.kit.dialog_admin import exporting
from apps.kit.list_views import Tab
from apps.payments.admin.filters import AgeFilter, BranchFilter
from apps.payments.admin.suspense import OF_PAYMENTS, age_strip, queues, waiting_since
from apps.payments.contracts import AttemptStatus
from apps.payments.dialogs.suspense import GiveLateMoneyBack
from apps.payments.models import PaymentAttempt
from apps.payments.selectors import suspense


class BookedAge(AgeFilter):
    arrived_field = "booked_at"


@admin.register(PaymentAttempt)
class SuspendedPaymentAdmin(ReadOnlyAdmin):
    """Money of payments of the reader's branches that does not pay them, the newest first; each opens its payment."""

    list_display = [
        "created_column",
        "payer_column",
        "reference_column",
        "reason_column",
        "branch",
        "asked_column",
        "amount_column",
    ]
    list_display_links = ["payer_column"]
    list_filter = [BookedAge, BranchFilter]
    list_filter_submit = True
    list_before_template = "payments/suspense.html"
    empty_text = _("Money appears here when it comes late, with another sum, or for a payment that was paid.")
    search_fields = ["provider_receipt"]
    search_help_text = _("Receipt")
    dialogs = [GiveLateMoneyBack, exporting("suspended_payments")]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PaymentAttempt]:
        return suspense.of_payments(request.user)

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 (Django's signature)
        queryset: QuerySet[PaymentAttempt],
        search_term: str,
    ) -> tuple[QuerySet[PaymentAttempt], bool]:
        """Find exactly: part of a receipt finds nothing."""
        return suspense.found_by(queryset, search_term), False

    def tabs(self, request: HttpRequest) -> list[Tab]:
        return queues(super().tabs(request)[1:], here=OF_PAYMENTS, is_narrowed=bool(request.GET))

    def totals(self, rows: QuerySet[PaymentAttempt]) -> list[Total]:
        return totals(
            rows,
            counted=Q(is_in_suspense=True),
            word=gettext("Waits"),
            amount="received_minor",
            currency="received_currency",
        )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list under what waits in it by age, whatever it is filtered by."""
        lines = suspense.ages(
            suspense.of_payments(request.user),
            field="booked_at",
            amount="received_minor",
            currency="received_currency",
            now=clock.now(),
        )
        return super().changelist_view(request, {"ages": age_strip(lines, request), **(extra_context or {})})

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
            attempt = self.get_queryset(request).filter(id=UUID(object_id)).first()
        except ValueError:
            raise Http404 from None
        if attempt is None:
            raise Http404
        return redirect("portal-payment", attempt.intent_id)

    @admin.display(description=_("Arrived"))
    def created_column(self, attempt: PaymentAttempt) -> SafeString:
        return waiting_since(attempt.booked_at)

    @admin.display(description=_("Payer"))
    def payer_column(self, attempt: PaymentAttempt) -> SafeString:
        phone, name = masked_phone(attempt.phone), attempt.intent.payer_name
        return format_html(
            '<span class="two"><b>{}</b><span>{}</span></span>',
            name or phone or gettext("Not named"),
            phone if name else "",
        )

    @admin.display(description=_("Payment and receipt"))
    def reference_column(self, attempt: PaymentAttempt) -> SafeString:
        return format_html(
            '<span class="two"><b class="t-ref">{}</b><span class="t-ref">{}</span></span>',
            attempt.intent.reference or attempt.intent.code,
            attempt.provider_receipt or gettext("no receipt yet"),
        )

    @admin.display(description=_("Reason"))
    def reason_column(self, attempt: PaymentAttempt) -> SafeString:
        if attempt.refund_pending_minor:
            return badge("pending", "undo", _("Goes back"))
        if attempt.status == AttemptStatus.MISMATCH:
            return badge("held", "difference", _("Another sum"))
        if attempt.intent.current_attempt_id != attempt.id:
            return badge("held", "content_copy", _("Paid before"))
        return badge("held", "schedule", _("Late"))

    @admin.display(description=_("Asked"))
    def asked_column(self, attempt: PaymentAttempt) -> SafeString:
        return money_html(attempt.intent.money, css="t-sub")

    @admin.display(description=_("Amount"))
    def amount_column(self, attempt: PaymentAttempt) -> SafeString:
        return money_html(attempt.received)
