"""The list of disputes in the organisation's admin: to read, to find, and to open the page of one."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from apps.integrations.contracts import provider_name
from apps.kit import clock
from apps.kit.admin import ReadOnlyAdmin, badge, local_time_html, money_html
from apps.kit.status_filter import StatusFilter
from apps.payments.admin.filters import BranchFilter, CreatedFilter
from apps.payments.contracts import DisputeStatus
from apps.payments.dialogs.disputes import (
    AcceptDispute,
    AppealDispute,
    AttachFile,
    DetachFile,
    SubmitEvidence,
    WriteEvidence,
)
from apps.payments.models import Dispute
from apps.payments.models.dispute import TAKEN_STATES, UNANSWERED_STATES
from apps.payments.selectors import disputes

BADGES: Mapping[DisputeStatus, tuple[str, str, Any]] = {
    DisputeStatus.INQUIRY: ("held", "contact_support", _("Inquiry")),
    DisputeStatus.NEEDS_RESPONSE: ("held", "gavel", _("Needs an answer")),
    DisputeStatus.SUBMITTED: ("pending", "schedule_send", _("Answer on its way")),
    DisputeStatus.UNDER_REVIEW: ("pending", "hourglass_top", _("Under review")),
    DisputeStatus.WON: ("done", "check_circle", _("Won")),
    DisputeStatus.LOST: ("failed", "cancel", _("Lost")),
    DisputeStatus.ACCEPTED: ("failed", "flag", _("Given up")),
    DisputeStatus.EXPIRED: ("failed", "timer_off", _("Not answered in time")),
    DisputeStatus.PREVENTED: ("quiet", "block", _("Prevented")),
}
APPEALING = ("pending", "schedule_send", _("Appeal on its way"))
SOON, FLAGGED, APPEALABLE = "soon", "flagged", "appealable"
LOOKS = {SOON: _("Due soon"), FLAGGED: _("Needs a look"), APPEALABLE: _("May be appealed")}


class DisputeStatusFilter(StatusFilter):
    words = {state: BADGES[state][2] for state in DisputeStatus}


class LookFilter(DropdownFilter):
    """What people should look at now."""

    title = _("Needs a look")
    parameter_name = "look"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002 (Django's signature)
        return list(LOOKS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Dispute]) -> QuerySet[Dispute]:  # noqa: ARG002 (Django's signature)
        if self.value() == SOON:
            return disputes.due_soon(queryset, now=clock.now())
        if self.value() == APPEALABLE:
            return disputes.appealable(queryset)
        return queryset.exclude(flag="") if self.value() else queryset


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    """Disputes of the reader's branches, newest first; each opens its own page."""

    own_page = "portal-dispute"
    list_display = [
        "due_column",
        "ticket_column",
        "reason_column",
        "branch",
        "owner_column",
        "status_column",
        "amount_column",
    ]
    list_display_links = ["ticket_column"]
    list_filter = [DisputeStatusFilter, LookFilter, BranchFilter, ("created_at", CreatedFilter)]
    list_filter_submit = True
    empty_text = _("A dispute appears here when a payer has his bank take a payment back.")
    counts_views = True
    search_fields = ["ticket"]
    search_help_text = _("The provider's number of the dispute, or the receipt of the payment")
    dialogs = [WriteEvidence, AttachFile, DetachFile, SubmitEvidence, AcceptDispute, AppealDispute]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dispute]:
        return disputes.visible_to(request.user).select_related("branch", "owner__user")

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 (Django's signature)
        queryset: QuerySet[Dispute],
        search_term: str,
    ) -> tuple[QuerySet[Dispute], bool]:
        """Find exactly: part of a number finds nothing."""
        return disputes.found_by(queryset, search_term), False

    def presets(self, request: HttpRequest) -> list[tuple[Any, str]]:  # noqa: ARG002 (the same for all)
        return [
            (_("Needs an answer"), urlencode({"status__in": ",".join(UNANSWERED_STATES)})),
            (_("Due soon"), urlencode({"look": SOON})),
            (_("Needs a look"), urlencode({"look": FLAGGED})),
            (_("May be appealed"), urlencode({"look": APPEALABLE})),
            (_("Won"), urlencode({"status": DisputeStatus.WON.value})),
            (_("Lost"), urlencode({"status__in": ",".join(TAKEN_STATES)})),
        ]

    @admin.display(description=_("Answer due"))
    def due_column(self, dispute: Dispute) -> SafeString:
        if dispute.due_by is None or not dispute.is_unanswered:
            return money_html(None)
        return local_time_html(dispute.due_by)

    @admin.display(description=_("Dispute and payment"))
    def ticket_column(self, dispute: Dispute) -> SafeString:
        return format_html(
            '<span class="two"><b class="t-ref">{}</b><span class="t-ref">{}</span></span>',
            dispute.ticket,
            dispute.payment_receipt,
        )

    @admin.display(description=_("Reason"))
    def reason_column(self, dispute: Dispute) -> SafeString:
        return format_html(
            '<span class="two"><b class="font-normal">{}</b><span>{}</span></span>',
            disputes.reason(dispute),
            provider_name(dispute.provider),
        )

    @admin.display(description=_("Looked after by"))
    def owner_column(self, dispute: Dispute) -> str:
        return dispute.owner.user.name if dispute.owner else gettext("Nobody")

    @admin.display(description=_("Status"))
    def status_column(self, dispute: Dispute) -> SafeString:
        return badge(*(APPEALING if dispute.is_appealing else BADGES[DisputeStatus(dispute.status)]))

    @admin.display(description=_("Amount"))
    def amount_column(self, dispute: Dispute) -> SafeString:
        return money_html(dispute.money, css="" if dispute.is_open else "t-sub")
