"""The lists of payments and refunds in the organisation's admin: to read, to find, and to open the page of one."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter
from unfold.utils import parse_date_str

from apps.access.selectors import branches
from apps.integrations.contracts import provider_name
from apps.kit import clock, errors
from apps.kit.admin import ReadOnlyAdmin, Total, badge, local_time_html, masked_phone, money_html, totals
from apps.kit.dialog_admin import exporting
from apps.payments.contracts import IntentStatus, RefundStatus
from apps.payments.dialogs import ChooseCollectionPolicy, RefundPayment, VerifyRefund
from apps.payments.models import PaymentIntent, Refund
from apps.payments.models.intent import ATTENTION_STATES, UNPAID_STATES
from apps.payments.selectors import intents, refunds

BADGES: Mapping[IntentStatus, tuple[str, str, Any]] = {
    IntentStatus.REQUIRES_METHOD: ("quiet", "edit", _("Not started")),
    IntentStatus.REQUIRES_CONFIRMATION: ("quiet", "edit", _("Not started")),
    IntentStatus.PROCESSING: ("pending", "sync", _("Processing")),
    IntentStatus.ACTION_REQUIRED: ("held", "touch_app", _("Action needed")),
    IntentStatus.REQUIRES_CAPTURE: ("pending", "lock_clock", _("Authorized")),
    IntentStatus.UNKNOWN: ("unknown", "help", _("Unknown")),
    IntentStatus.SUCCEEDED: ("done", "check_circle", _("Succeeded")),
    IntentStatus.PARTIALLY_PAID: ("held", "contrast", _("Partly paid")),
    IntentStatus.IN_REVIEW: ("held", "policy", _("In review")),
    IntentStatus.FAILED: ("failed", "cancel", _("Failed")),
    IntentStatus.CANCELLED: ("quiet", "block", _("Cancelled")),
    IntentStatus.EXPIRED: ("quiet", "timer_off", _("Expired")),
}
REFUND_BADGES: Mapping[RefundStatus, tuple[str, str, Any]] = {
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


class CreatedFilter(RangeDateFilter):
    """Whole days of the organisation's zone, the last one included."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[PaymentIntent]) -> QuerySet[PaymentIntent]:  # noqa: ARG002 (Django's signature)
        first, last = (
            _day(self.used_parameters.get(f"{self.parameter_name}_{end}")) for end in ("from", "to")
        )
        if first is not None:
            queryset = queryset.filter(created_at__gte=first)
        return queryset if last is None else queryset.filter(created_at__lt=last + timedelta(days=1))


def _day(text: Any) -> datetime | None:
    """Return the beginning of the day that a person typed, or None for what is no date."""
    day = parse_date_str(text) if isinstance(text, str) else None
    return None if day is None else timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001 (made aware here)


class StatusFilter(DropdownFilter):
    title = _("Status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002 (Django's signature)
        return [(state.value, BADGES[state][2]) for state in list(IntentStatus)[1:]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PaymentIntent]) -> QuerySet[PaymentIntent]:  # noqa: ARG002 (Django's signature)
        return queryset.filter(status=self.value()) if self.value() else queryset


class RefundStatusFilter(DropdownFilter):
    title = _("Status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002 (Django's signature)
        return [(state.value, REFUND_BADGES[state][2]) for state in RefundStatus]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Refund]) -> QuerySet[Refund]:  # noqa: ARG002 (Django's signature)
        return queryset.filter(status=self.value()) if self.value() else queryset


class BranchFilter(DropdownFilter):
    """The reader's own branches only; another one holds nothing for him."""

    title = _("Branch")
    parameter_name = "branch"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 (Django's signature)
        return [
            (str(branch.id), branch.name) for branch in branches.visible_to(request.user).order_by("name")
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PaymentIntent]) -> QuerySet[PaymentIntent]:  # noqa: ARG002 (Django's signature)
        known = {key for key, _name in self.lookup_choices}
        if self.value() and self.value() not in known:
            return queryset.none()
        return queryset.filter(branch_id=self.value()) if self.value() else queryset


@admin.register(PaymentIntent)
class PaymentIntentAdmin(ReadOnlyAdmin):
    """Payments of the reader's branches, newest first; each opens its timeline."""

    list_display = [
        "created_column",
        "payer_column",
        "reference_column",
        "rail_column",
        "branch",
        "status_column",
        "amount_column",
    ]
    list_display_links = ["payer_column"]
    list_filter = [StatusFilter, BranchFilter, ("created_at", CreatedFilter)]
    list_filter_submit = True
    empty_text = _("A payment appears here when an application asks a payer for money.")
    counts_views = True
    search_fields = ["reference"]
    search_help_text = _("Receipt, reference or phone")
    dialogs = [RefundPayment, ChooseCollectionPolicy, exporting("payments")]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PaymentIntent]:
        return intents.visible_to(request.user).select_related("branch")

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 (Django's signature)
        queryset: QuerySet[PaymentIntent],
        search_term: str,
    ) -> tuple[QuerySet[PaymentIntent], bool]:
        """Find exactly: a receipt, reference, code, phone or id; part of a number finds nothing."""
        return intents.found_by(queryset, search_term.strip()), False

    def presets(self, request: HttpRequest) -> list[tuple[Any, str]]:  # noqa: ARG002 (the same for all)
        today = timezone.localtime(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0).isoformat()
        return [
            (_("Needs attention"), urlencode({"status__in": ",".join(ATTENTION_STATES)})),
            (_("Unknown"), urlencode({"status": IntentStatus.UNKNOWN.value})),
            (_("In review"), urlencode({"status": IntentStatus.IN_REVIEW.value})),
            (_("Failed today"), urlencode({"status": IntentStatus.FAILED.value, "created_at__gte": today})),
        ]

    def change_view(
        self,
        request: HttpRequest,  # noqa: ARG002 (Django's signature)
        object_id: str,
        form_url: str = "",  # noqa: ARG002 (Django's signature)
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002 (Django's signature)
    ) -> HttpResponse:
        """Open the payment's own page, which asks what the reader may see."""
        try:
            return redirect("portal-payment", UUID(object_id))
        except ValueError:
            raise Http404 from None

    def totals(self, rows: QuerySet[PaymentIntent]) -> list[Total]:
        return totals(rows, counted=Q(status=IntentStatus.SUCCEEDED), word=gettext("Succeeded"))

    @admin.display(description=_("Created"))
    def created_column(self, intent: PaymentIntent) -> SafeString:
        return local_time_html(intent.created_at, seconds=True)

    @admin.display(description=_("Payer"))
    def payer_column(self, intent: PaymentIntent) -> SafeString:
        phone = masked_phone(intent.payer_phone)
        return format_html(
            '<span class="two"><b>{}</b><span>{}</span></span>',
            intent.payer_name or phone or _("Not named"),
            phone if intent.payer_name else "",
        )

    @admin.display(description=_("For"))
    def reference_column(self, intent: PaymentIntent) -> SafeString:
        if intent.reference:
            return format_html('<span class="t-ref">{}</span>', intent.reference)
        return format_html("{}", intent.description) if intent.description else money_html(None)

    @admin.display(description=_("Rail and receipt"))
    def rail_column(self, intent: PaymentIntent) -> SafeString:
        if not intent.method:
            return money_html(None)
        attempt = intent.current_attempt
        receipt = attempt.provider_receipt if attempt else ""
        missing = _("none") if intent.status in UNPAID_STATES else _("no receipt yet")
        return format_html(
            '<span class="two"><b class="font-normal">{}</b><span class="t-ref">{}</span></span>',
            provider_name(intent.method),
            receipt or missing,
        )

    @admin.display(description=_("Status"))
    def status_column(self, intent: PaymentIntent) -> SafeString:
        return badge(*BADGES[IntentStatus(intent.status)])

    @admin.display(description=_("Amount"))
    def amount_column(self, intent: PaymentIntent) -> SafeString:
        return money_html(intent.money, css="t-sub" if intent.status in UNPAID_STATES else "")


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
    dialogs = [VerifyRefund, exporting("refunds")]

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
        return badge(*REFUND_BADGES[RefundStatus(refund.status)])

    @admin.display(description=_("Amount"))
    def amount_column(self, refund: Refund) -> SafeString:
        return money_html(refund.money, css="t-sub" if refund.status in NOT_GIVEN_BACK else "")
