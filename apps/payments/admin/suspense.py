"""The queue of money that nothing explains: who looks after what, how long it has waited, and what is decided about it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from apps.access.selectors import memberships
from apps.kit import clock
from apps.kit.admin import (
    ReadOnlyAdmin,
    Total,
    badge,
    local_time_html,
    money_html,
    nothing_html,
    totals,
)
from apps.kit.dialog_admin import exporting
from apps.kit.list_views import Tab
from apps.payments.admin.filters import AgeFilter, BranchFilter
from apps.payments.contracts import RESOLVE, SOURCE_NAMES, InboundSource, InboundStatus
from apps.payments.dialogs.suspense import (
    CHOSEN,
    AssignMoney,
    ConfirmMoney,
    GiveMoneyBack,
    HandMoneyOver,
    TakeMoneyOver,
)
from apps.payments.models import InboundReceipt, phone
from apps.payments.models.inbound import LEFT_STATES
from apps.payments.selectors import inbound_receipts, suggestions, suspense
from apps.payments.selectors.suspense import DECIDED, NOBODYS

BADGES: Mapping[InboundStatus, tuple[str, str, Any]] = {
    InboundStatus.UNCONFIRMED: ("unknown", "help", _("Not confirmed yet")),
    InboundStatus.SUSPENSE: ("held", "help", _("Waits")),
    InboundStatus.DUPLICATE_SUSPECTED: ("held", "content_copy", _("Double payment?")),
    InboundStatus.MATCHED: ("done", "check_circle", _("Matched")),
    InboundStatus.ASSIGNED: ("done", "how_to_reg", _("Assigned")),
    InboundStatus.GIVING_BACK: ("pending", "undo", _("Goes back")),
    InboundStatus.RETRACTED: ("quiet", "block", _("Booking taken back")),
    InboundStatus.TAKEN_BACK: ("failed", "gavel", _("Taken by a dispute")),
}
OF_PAYMENTS = "admin:payments_paymentattempt_changelist"
UNASKED = "admin:payments_inboundreceipt_changelist"


def queues(views: Sequence[Tab], *, here: str, is_narrowed: bool) -> list[Tab]:
    """Return the two queues of suspense as tabs, with the views of the one that is shown."""
    unasked = Tab("unasked", _("Came unasked"), reverse(UNASKED), here == UNASKED and not is_narrowed)
    of_payments = Tab(
        "payments", _("Of payments"), reverse(OF_PAYMENTS), here == OF_PAYMENTS and not is_narrowed
    )
    return [unasked, *views, of_payments] if here == UNASKED else [unasked, of_payments, *views]


def waiting_since(at: datetime | None) -> SafeString:
    """Return when money arrived and how long it has waited since."""
    if at is None:
        return nothing_html()
    age = gettext("waits %(time)s") % {"time": timesince(at, clock.now(), depth=1)}
    return format_html(
        '<span class="two"><b class="font-normal">{}</b><span>{}</span></span>', local_time_html(at), age
    )


def age_strip(lines: Sequence[suspense.AgeLine], request: HttpRequest) -> list[dict[str, Any]]:
    """Return the buckets as the strip above a list draws them; each leads to its rows."""
    chosen = request.GET.get(AgeFilter.parameter_name, "")
    return [
        {"line": line, "query": f"?{urlencode({'age': line.age.key})}", "is_active": line.age.key == chosen}
        for line in lines
    ]


class StandingFilter(DropdownFilter):
    """What waits, unless something else is chosen: a queue shows what is left to do."""

    title = _("State")
    parameter_name = "state"
    all_option = ("", _("All that waits"))

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002 (Django's signature)
        return [
            (InboundStatus.DUPLICATE_SUSPECTED.value, _("Double payment suspected")),
            (InboundStatus.UNCONFIRMED.value, _("Not confirmed yet")),
            (DECIDED, _("Decided")),
        ]

    def queryset(
        self,
        request: HttpRequest,  # noqa: ARG002 (Django's signature)
        queryset: QuerySet[InboundReceipt],
    ) -> QuerySet[InboundReceipt]:
        return suspense.standing(queryset, str(self.value() or ""))


class ReceivedAge(AgeFilter):
    arrived_field = "received_at"


class OwnerFilter(DropdownFilter):
    """Whose it is: nobody's, or that of one of those who may decide."""

    title = _("Owner")
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002 (Django's signature)
        return list(suspense.owners().items())

    def queryset(
        self,
        request: HttpRequest,  # noqa: ARG002 (Django's signature)
        queryset: QuerySet[InboundReceipt],
    ) -> QuerySet[InboundReceipt]:
        return suspense.of_owners(queryset, [str(self.value())]) if self.value() else queryset


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
    list_filter = [StandingFilter, ReceivedAge, OwnerFilter, BranchFilter]
    list_filter_submit = True
    list_before_template = "payments/suspense.html"
    change_form_outer_before_template = "payments/suggestions.html"
    counts_views = True
    empty_text = _("Money appears here when it arrives and no payment explains it.")
    search_fields = ["receipt"]
    search_help_text = _("Receipt or reference")
    fields = [
        "status_column", "amount_column", "fee_shown", "receipt", "reference_shown", "payer_column", "reason", "owner_column",
        "payment_shown", "provider_account", "branch", "told_by", "occurred_shown", "received_shown", "resolved_shown",
    ]  # fmt: skip
    readonly_fields = fields
    dialogs = [
        AssignMoney,
        GiveMoneyBack,
        TakeMoneyOver,
        HandMoneyOver,
        ConfirmMoney,
        exporting("suspense"),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboundReceipt]:
        held = inbound_receipts.visible_to(request.user).held()
        return held.select_related("provider_account", "branch", "intent", "owner__user")

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 (Django's signature)
        queryset: QuerySet[InboundReceipt],
        search_term: str,
    ) -> tuple[QuerySet[InboundReceipt], bool]:
        """Find exactly: a receipt, or a reference whatever its blanks, dashes and small letters."""
        return inbound_receipts.found_by(queryset, search_term), False

    def presets(self, request: HttpRequest) -> list[tuple[Any, str]]:
        doubled = InboundStatus.DUPLICATE_SUSPECTED.value
        member = memberships.remembered(request.user)
        return [
            *([(_("Mine"), urlencode({"owner": member.id}))] if member else []),
            (_("Nobody's"), urlencode({"owner": NOBODYS})),
            (_("Double payment suspected"), urlencode({"state": doubled})),
            (_("Not confirmed yet"), urlencode({"state": InboundStatus.UNCONFIRMED.value})),
            (_("Decided"), urlencode({"state": DECIDED})),
        ]

    def tabs(self, request: HttpRequest) -> list[Tab]:
        return queues(super().tabs(request)[1:], here=UNASKED, is_narrowed=bool(request.GET))

    def totals(self, rows: QuerySet[InboundReceipt]) -> list[Total]:
        return totals(rows, counted=Q(status__in=LEFT_STATES), word=gettext("Waits"))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the queue under what waits in it by age, whatever it is filtered by."""
        left = suspense.standing(inbound_receipts.visible_to(request.user), "")
        lines = suspense.ages(
            left, field="received_at", amount="amount_minor", currency="currency", now=clock.now()
        )
        return super().changelist_view(request, {"ages": age_strip(lines, request), **(extra_context or {})})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the money with the payments that it may be of, while it waits, to who may decide."""
        inbound = self.get_object(request, unquote(object_id))
        found: list[suggestions.Suggestion] = []
        if inbound and inbound.is_waiting and request.user.has_perm("payments.view"):
            found = suggestions.of(request.user, inbound)
        assign = f"admin:payments_inboundreceipt_{AssignMoney.name}"
        facts = {
            "suggestions": found,
            "is_waiting": bool(inbound and inbound.is_waiting),
            "assign_url": reverse(assign, args=[inbound.pk])
            if inbound and request.user.has_perm(RESOLVE)
            else "",
            "chosen": CHOSEN,
        }
        return super().change_view(request, object_id, form_url, {**facts, **(extra_context or {})})

    @admin.display(description=_("Arrived"))
    def created_column(self, inbound: InboundReceipt) -> SafeString:
        if inbound.status not in LEFT_STATES:
            return local_time_html(inbound.received_at)
        return waiting_since(inbound.received_at)

    @admin.display(description=_("Payer"))
    def payer_column(self, inbound: InboundReceipt) -> SafeString:
        number = phone.shown(inbound.payer)
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
        return nothing_html() if inbound.is_unconfirmed else money_html(inbound.fee)

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
