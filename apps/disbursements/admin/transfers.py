"""Transfers in the organisation's site: a list to find them, a page with what was booked and what was taken back."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.disbursements.admin import states
from apps.disbursements.contracts import TRANSFER_STATES, TransferStatus
from apps.disbursements.dialogs.transfer_verdicts import CloseUnknownTransfer
from apps.disbursements.dialogs.transfers import ReverseTransfer
from apps.disbursements.models import Transfer
from apps.disbursements.postings import SOURCE
from apps.disbursements.selectors import transfers
from apps.kit import ids
from apps.kit.admin import ReadOnlyAdmin, local_time_html, money_html, nothing_html
from apps.kit.related_filter import VisibleRelatedFilter
from apps.kit.status_filter import StatusFilter
from apps.ledger.selectors import transactions

NOT_PAID = {TransferStatus.FAILED, TransferStatus.CANCELLED}


class TransferStatusFilter(StatusFilter):
    words = TRANSFER_STATES


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    """Transfers of the reader's branches, newest first; what is booked of one is shown to who may see the ledger."""

    list_display = [
        "created_column",
        "party_column",
        "branch",
        "status_column",
        "amount_column",
    ]
    list_display_links = ["party_column"]
    list_filter = [TransferStatusFilter, ("branch", VisibleRelatedFilter)]
    list_filter_submit = True
    empty_text = _("A transfer appears here when a party is paid to its connected account.")
    search_fields = ["reference"]
    search_help_text = _("Reference, or the provider's id")
    dialogs = [ReverseTransfer, CloseUnknownTransfer]
    change_form_outer_before_template = "disbursements/notice.html"
    fieldsets = [
        (None, {"fields": ["status_column", "amount_column", "account_column", "reference", "id_column"]}),
        (_("Closed by people"), {"fields": ["moved_column", "verdict_column"]}),
        (_("Taken back"), {"fields": ["reversed_column", "reversals_column"]}),
        (_("Ledger entries"), {"fields": ["bookings_column"]}),
        (_("Record"), {"fields": ["branch", "application", "created_column", "sent_column", "made_column"]}),
    ]
    readonly_fields = [
        "status_column",
        "amount_column",
        "account_column",
        "id_column",
        "moved_column",
        "verdict_column",
        "reversed_column",
        "reversals_column",
        "bookings_column",
        "created_column",
        "sent_column",
        "made_column",
    ]

    def heading(self, row: Transfer) -> str:
        return f"{row.connected_account.party}: {row.reference}"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a transfer, under what is done while nobody knows what became of it."""
        transfer = self.get_object(request, unquote(object_id))
        facts = {"doubt": states.doubt(transfer) if transfer else ""}
        return super().change_view(request, object_id, form_url, {**facts, **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transfer]:
        return transfers.visible_to(request.user).select_related(
            "connected_account__party", "branch", "application", "provider_account"
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the parts of the page; without what is booked for who may not see the ledger, and what nobody said."""
        hidden = set() if request.user.has_perm("ledger.view") else {"bookings_column"}
        if not (obj and obj.verdict):
            hidden.add("moved_column")
        return [part for part in super().get_fieldsets(request, obj) if hidden.isdisjoint(part[1]["fields"])]

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 (Django's signature)
        queryset: QuerySet[Transfer],
        search_term: str,
    ) -> tuple[QuerySet[Transfer], bool]:
        """Find exactly: part of a reference finds nothing."""
        return transfers.found_by(queryset, search_term), False

    @admin.display(description=_("Asked"))
    def created_column(self, transfer: Transfer) -> SafeString:
        return local_time_html(transfer.created_at)

    @admin.display(description=_("Party"))
    def party_column(self, transfer: Transfer) -> SafeString:
        return format_html(
            '<span class="two"><b>{}</b><span>{}</span></span>',
            transfer.connected_account.party,
            transfer.reference,
        )

    @admin.display(description=_("Status"))
    def status_column(self, transfer: Transfer) -> SafeString:
        return format_html("{} {}", states.of_order(transfer), transfer.failure_message)

    @admin.display(description=_("Amount"))
    def amount_column(self, transfer: Transfer) -> SafeString:
        return money_html(transfer.money, css="t-sub" if transfer.status in NOT_PAID else "")

    @admin.display(description=_("To"))
    def account_column(self, transfer: Transfer) -> SafeString:
        account = transfer.connected_account
        url = reverse("admin:disbursements_connectedaccount_change", args=[account.id])
        return format_html('<a class="t-a" href="{}">{}</a>', url, account.party)

    @admin.display(description=_("Moved, as was said"))
    def moved_column(self, transfer: Transfer) -> SafeString:
        return nothing_html() if transfer.verdict_minor is None else money_html(transfer.said_moved)

    @admin.display(description=_("What shows it"))
    def verdict_column(self, transfer: Transfer) -> str:
        is_waiting = gettext("Other people are asked.") if transfer.judged_at is None else ""
        return f"{transfer.verdict_ticket} {transfer.verdict_reason} {is_waiting}".strip()

    @admin.display(description=_("Came back"))
    def reversed_column(self, transfer: Transfer) -> SafeString:
        return money_html(transfer.reversed) if transfer.reversed_minor else nothing_html()

    @admin.display(description=_("Parts"))
    def reversals_column(self, transfer: Transfer) -> SafeString:
        parts = [
            {"row": part, "badge": states.of_reversal(part)} for part in transfers.reversals_of(transfer.id)
        ]
        return render_to_string("disbursements/reversals.html", {"reversals": parts})

    @admin.display(description=_("Booked"))
    def bookings_column(self, transfer: Transfer) -> SafeString:
        booked = transactions.of_source(SOURCE, transfer.id)
        return render_to_string("disbursements/bookings.html", {"bookings": booked})

    @admin.display(description=_("Ids"))
    def id_column(self, transfer: Transfer) -> SafeString:
        return format_html(
            '<span class="t-ref">{}</span> <span class="t-ref">{}</span>',
            ids.encode("tr", transfer.id),
            transfer.ticket,
        )

    @admin.display(description=_("Sent"))
    def sent_column(self, transfer: Transfer) -> SafeString:
        return local_time_html(transfer.sent_at)

    @admin.display(description=_("Transferred"))
    def made_column(self, transfer: Transfer) -> SafeString:
        return local_time_html(transfer.succeeded_at)
