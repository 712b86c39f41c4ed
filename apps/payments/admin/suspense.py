"""The queue of money that nothing explains: who looks after what, how long it has waited, and what is decided about it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from apps.access.selectors import memberships
from apps.kit import clock
from apps.kit.admin import ReadOnlyAdmin, badge, local_time_html, money_html, nothing_html
from apps.payments.admin.payments import BranchFilter
from apps.payments.contracts import SOURCE_NAMES, InboundSource, InboundStatus
from apps.payments.dialogs import AssignMoney, GiveMoneyBack, TakeMoneyOver, payer_text
from apps.payments.models import InboundReceipt
from apps.payments.models.inbound import InboundReceiptQuerySet
from apps.payments.selectors import inbound_receipts

BADGES: Mapping[InboundStatus, tuple[str, str, Any]] = {
    InboundStatus.SUSPENSE: ("held", "help", _("Waits")),
    InboundStatus.DUPLICATE_SUSPECTED: ("held", "content_copy", _("Double payment?")),
    InboundStatus.MATCHED: ("done", "check_circle", _("Matched")),
    InboundStatus.ASSIGNED: ("done", "how_to_reg", _("Assigned")),
    InboundStatus.GIVING_BACK: ("pending", "undo", _("Goes back")),
    InboundStatus.RETRACTED: ("quiet", "block", _("Booking taken back")),
}
DECIDED = "decided"
MINE, NOBODYS = "me", "nobody"


class StandingFilter(DropdownFilter):
    """What waits, unless something else is chosen: a queue shows what is left to do."""

    title = _("State")
    parameter_name = "state"
    all_option = ("", _("All that waits"))

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002 (Django's signature)
        return [
            (InboundStatus.DUPLICATE_SUSPECTED.value, _("Double payment suspected")),
            (DECIDED, _("Decided")),
        ]

    def queryset(
        self,
        request: HttpRequest,  # noqa: ARG002 (Django's signature)
        queryset: InboundReceiptQuerySet,
    ) -> InboundReceiptQuerySet:
        if self.value() == DECIDED:
            return queryset.exclude(pk__in=queryset.waiting().values("pk"))
        waiting = queryset.waiting()
        return waiting.filter(status=self.value()) if self.value() else waiting


class OwnerFilter(DropdownFilter):
    """Whose it is: the reader's own, or nobody's."""

    title = _("Owner")
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002 (Django's signature)
        return [(MINE, _("Mine")), (NOBODYS, _("Nobody's"))]

    def queryset(self, request: HttpRequest, queryset: InboundReceiptQuerySet) -> InboundReceiptQuerySet:
        if self.value() == NOBODYS:
            return queryset.filter(owner=None)
        if self.value() == MINE:
            member = memberships.remembered(request.user)
            return queryset.filter(owner=member) if member else queryset.none()
        return queryset


@admin.register(InboundReceipt)
class InboundReceiptAdmin(ReadOnlyAdmin):
    """Money that was put aside at accounts of the reader's branches, the newest first."""

    list_display = [
        "created_column",
        "payer_column",
        "reference_column",
        "reason_column",
        "owner_column",
        "status_column",
        "amount_column",
    ]
    list_display_links = ["payer_column"]
    list_filter = [StandingFilter, OwnerFilter, BranchFilter]
    list_filter_submit = True
    empty_text = _("Money appears here when it arrives and no payment explains it.")
    search_fields = ["receipt"]
    search_help_text = _("Receipt or reference")
    fields = [
        "status_column", "amount_column", "fee_shown", "receipt", "reference_shown", "payer_column", "reason", "owner_column",
        "payment_shown", "provider_account", "branch", "told_by", "occurred_shown", "received_shown", "resolved_shown",
    ]  # fmt: skip
    readonly_fields = fields
    dialogs = [AssignMoney, GiveMoneyBack, TakeMoneyOver]

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboundReceipt]:
        held = inbound_receipts.visible_to(request.user).filter(booked_at__isnull=False)
        return held.select_related("provider_account", "branch", "intent", "owner__user")

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 (Django's signature)
        queryset: QuerySet[InboundReceipt],
        search_term: str,
    ) -> tuple[QuerySet[InboundReceipt], bool]:
        """Find exactly: a receipt, or a reference whatever its blanks, dashes and small letters."""
        return inbound_receipts.found_by(queryset, search_term), False

    def presets(self, request: HttpRequest) -> list[tuple[Any, str]]:  # noqa: ARG002 (the same for all)
        doubled = InboundStatus.DUPLICATE_SUSPECTED.value
        return [
            (_("Mine"), urlencode({"owner": MINE})),
            (_("Nobody's"), urlencode({"owner": NOBODYS})),
            (_("Double payment suspected"), urlencode({"state": doubled})),
            (_("Decided"), urlencode({"state": DECIDED})),
        ]

    @admin.display(description=_("Arrived"))
    def created_column(self, inbound: InboundReceipt) -> SafeString:
        if not inbound.is_waiting:
            return local_time_html(inbound.received_at)
        age = gettext("waits %(time)s") % {"time": timesince(inbound.received_at, clock.now(), depth=1)}
        return format_html(
            '<span class="two"><b class="font-normal">{}</b><span>{}</span></span>',
            local_time_html(inbound.received_at),
            age,
        )

    @admin.display(description=_("Payer"))
    def payer_column(self, inbound: InboundReceipt) -> SafeString:
        number = payer_text(inbound)
        return format_html(
            '<span class="two"><b>{}</b><span>{}</span></span>',
            inbound.payer_name or number or gettext("Not named"),
            number if inbound.payer_name else "",
        )

    @admin.display(description=_("Reference and receipt"))
    def reference_column(self, inbound: InboundReceipt) -> SafeString:
        return format_html(
            '<span class="two"><b class="t-ref">{}</b><span class="t-ref">{}</span></span>',
            inbound.reference or gettext("none typed"),
            inbound.receipt,
        )

    @admin.display(description=_("Reason"))
    def reason_column(self, inbound: InboundReceipt) -> str:
        return inbound.reason

    @admin.display(description=_("Owner"))
    def owner_column(self, inbound: InboundReceipt) -> SafeString:
        name = inbound.owner.user.name if inbound.owner else gettext("Nobody")
        return format_html('<span class="t-nowrap">{}</span>', name)

    @admin.display(description=_("Status"))
    def status_column(self, inbound: InboundReceipt) -> SafeString:
        return badge(*BADGES[InboundStatus(inbound.status)])

    @admin.display(description=_("Amount"))
    def amount_column(self, inbound: InboundReceipt) -> SafeString:
        return money_html(inbound.money)

    @admin.display(description=_("Fee of the provider"))
    def fee_shown(self, inbound: InboundReceipt) -> SafeString:
        return money_html(inbound.fee)

    @admin.display(description=_("Reference as typed"))
    def reference_shown(self, inbound: InboundReceipt) -> SafeString:
        if not inbound.reference:
            return nothing_html()
        return format_html('<span class="t-ref">{}</span>', inbound.reference)

    @admin.display(description=_("Payment"))
    def payment_shown(self, inbound: InboundReceipt) -> SafeString:
        if inbound.intent is None:
            return nothing_html()
        url = reverse("portal-payment", args=[inbound.intent_id])
        return format_html('<a class="t-ref" href="{}">{}</a>', url, inbound.intent.code)

    @admin.display(description=_("Told by"))
    def told_by(self, inbound: InboundReceipt) -> str:
        return ", ".join(str(SOURCE_NAMES[InboundSource(source)]) for source in inbound.sources)

    @admin.display(description=_("Paid, by the provider's clock"))
    def occurred_shown(self, inbound: InboundReceipt) -> SafeString:
        return local_time_html(inbound.occurred_at, seconds=True)

    @admin.display(description=_("Arrived"))
    def received_shown(self, inbound: InboundReceipt) -> SafeString:
        return local_time_html(inbound.received_at, seconds=True)

    @admin.display(description=_("Decided"))
    def resolved_shown(self, inbound: InboundReceipt) -> SafeString:
        return local_time_html(inbound.resolved_at, seconds=True)
