"""The list of payments in the organisation's admin: to read, to find, and to open the page of one."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from apps.integrations.contracts import provider_name
from apps.kit import clock
from apps.kit.admin import (
    ReadOnlyAdmin,
    Total,
    amount_html,
    badge,
    local_time_html,
    masked_phone,
    money_html,
    totals,
)
from apps.kit.dialog_admin import exporting
from apps.kit.money import total
from apps.payments.admin.filters import BranchFilter, CreatedFilter
from apps.payments.contracts import CLOSED, DOUBTS, TODAY, Doubt, IntentStatus
from apps.payments.dialogs.captures import CapturePayment
from apps.payments.dialogs.payment_verdicts import CloseUnknownPayment
from apps.payments.dialogs.payments import AskPayment, CancelPayment, VerifyPayment
from apps.payments.dialogs.policy import ChooseCollectionPolicy
from apps.payments.dialogs.refunds import RefundPayment
from apps.payments.dialogs.reviews import AcceptReview, CloseReview
from apps.payments.models import PaymentAttempt, PaymentIntent
from apps.payments.models.intent import ATTENTION_STATES, UNPAID_STATES
from apps.payments.selectors import doubts, intents

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


class StatusFilter(DropdownFilter):
    title = _("Status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002 (Django's signature)
        return [(state.value, BADGES[state][2]) for state in list(IntentStatus)[1:]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PaymentIntent]) -> QuerySet[PaymentIntent]:  # noqa: ARG002 (Django's signature)
        return queryset.filter(status=self.value()) if self.value() else queryset


class DoubtFilter(DropdownFilter):
    """What people should look at, whatever state it is in."""

    title = _("Needs a look")
    parameter_name = "doubt"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002 (Django's signature)
        return [(doubt.value, word) for doubt, word in DOUBTS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PaymentIntent]) -> QuerySet[PaymentIntent]:  # noqa: ARG002 (Django's signature)
        return doubts.of(str(self.value()), queryset, now=clock.now()) if self.value() else queryset


class ClosedFilter(DropdownFilter):
    """When a payment ended without money, whenever it was asked for."""

    title = _("Closed")
    parameter_name = "closed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002 (Django's signature)
        return list(CLOSED.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[PaymentIntent]) -> QuerySet[PaymentIntent]:  # noqa: ARG002 (Django's signature)
        return intents.closed_today(queryset, now=clock.now()) if self.value() == TODAY else queryset


@admin.register(PaymentIntent)
class PaymentIntentAdmin(ReadOnlyAdmin):
    """Payments of the reader's branches, newest first; each opens its timeline."""

    own_page = "portal-payment"
    list_display = [
        "created_column",
        "payer_column",
        "reference_column",
        "rail_column",
        "branch",
        "status_column",
        "amount_column",
        "fee_column",
        "net_column",
    ]
    list_display_links = ["payer_column"]
    list_filter = [StatusFilter, DoubtFilter, ClosedFilter, BranchFilter, ("created_at", CreatedFilter)]
    list_filter_submit = True
    empty_text = _("A payment appears here when an application asks a payer for money.")
    counts_views = True
    search_fields = ["reference"]
    search_help_text = _("Receipt, reference or phone")
    dialogs = [
        AskPayment,
        VerifyPayment,
        CapturePayment,
        CancelPayment,
        CloseUnknownPayment,
        RefundPayment,
        AcceptReview,
        CloseReview,
        ChooseCollectionPolicy,
        exporting("payments"),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PaymentIntent]:
        return intents.with_paying(intents.visible_to(request.user)).select_related("branch")

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 (Django's signature)
        queryset: QuerySet[PaymentIntent],
        search_term: str,
    ) -> tuple[QuerySet[PaymentIntent], bool]:
        """Find exactly: a receipt, reference, code, phone or id; part of a number finds nothing."""
        return intents.found_by(queryset, search_term.strip()), False

    def presets(self, request: HttpRequest) -> list[tuple[Any, str]]:  # noqa: ARG002 (the same for all)
        return [
            (_("Needs attention"), urlencode({"status__in": ",".join(ATTENTION_STATES)})),
            (_("Stuck"), urlencode({"doubt": Doubt.STUCK.value})),
            (_("Unknown"), urlencode({"status": IntentStatus.UNKNOWN.value})),
            (_("In review"), urlencode({"status": IntentStatus.IN_REVIEW.value})),
            (_("Partly paid"), urlencode({"status": IntentStatus.PARTIALLY_PAID.value})),
            (_("Failed today"), urlencode({"status": IntentStatus.FAILED.value, "closed": TODAY})),
            *(
                (DOUBTS[doubt], urlencode({"doubt": doubt.value}))
                for doubt in (Doubt.DOUBLED, Doubt.UNPOSTED)
            ),
        ]

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
            '<span class="two"><b class="font-normal">{}</b><span class="t-ref" title="{}">{}</span></span>',
            attempt.card if attempt and attempt.card else provider_name(intent.method),
            receipt,
            receipt or missing,
        )

    @admin.display(description=_("Status"))
    def status_column(self, intent: PaymentIntent) -> SafeString:
        refunded = sum(one.refunded_minor for one in _paying(intent))
        if refunded and intent.status == IntentStatus.SUCCEEDED:
            is_whole = refunded == sum(one.received_minor or 0 for one in _paying(intent))
            return badge("quiet", "undo", _("Refunded") if is_whole else _("Partly refunded"))
        return badge(*BADGES[IntentStatus(intent.status)])

    @admin.display(description=_("Amount"))
    def amount_column(self, intent: PaymentIntent) -> SafeString:
        return money_html(intent.money, css="t-sub" if intent.status in UNPAID_STATES else "")

    @admin.display(description=_("Fee"))
    def fee_column(self, intent: PaymentIntent) -> SafeString:
        return amount_html(total(one.fee for one in _paying(intent)))

    @admin.display(description=_("Net"))
    def net_column(self, intent: PaymentIntent) -> SafeString:
        return amount_html(total(one.net for one in _paying(intent)))


def _paying(intent: PaymentIntent) -> list[PaymentAttempt]:
    """Return the attempts whose money a row shows; read with ``with_paying``."""
    if intent.is_in_parts:
        return intent.paying
    return [intent.current_attempt] if intent.current_attempt else []
