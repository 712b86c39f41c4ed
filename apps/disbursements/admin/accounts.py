"""Connected accounts in the organisation's site: a list to find them, a page with what is needed and what was paid."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.disbursements.admin import states
from apps.disbursements.contracts import CONNECTED_STATES
from apps.disbursements.dialogs.account_verdicts import CloseUnknownAccount
from apps.disbursements.dialogs.accounts import AskAccount, ConnectParty, SendParty, TransferTo
from apps.disbursements.models import ConnectedAccount
from apps.disbursements.selectors import connected_accounts, needs, transfers
from apps.integrations.contracts import provider_name
from apps.kit import ids
from apps.kit.admin import ReadOnlyAdmin, local_time_html, money_html, nothing_html
from apps.kit.related_filter import VisibleRelatedFilter
from apps.kit.status_filter import StatusFilter

TRANSFERS_SHOWN = 20


class AccountStatusFilter(StatusFilter):
    words = CONNECTED_STATES


@admin.register(ConnectedAccount)
class ConnectedAccountAdmin(ReadOnlyAdmin):
    """Accounts that providers keep for parties of the reader's branches, newest first."""

    list_display = [
        "party_column",
        "rail_column",
        "needs_column",
        "branch",
        "created_column",
        "status_column",
    ]
    list_display_links = ["party_column"]
    list_filter = [AccountStatusFilter, ("branch", VisibleRelatedFilter)]
    list_filter_submit = True
    empty_text = _("An account appears here when a party that is to be paid is connected.")
    search_fields = ["ticket"]
    search_help_text = _("Name of the party, or the provider's id")
    dialogs = [ConnectParty, TransferTo, SendParty, AskAccount, CloseUnknownAccount]
    fieldsets = [
        (None, {"fields": ["status_column", "party_name_column", "owed_column", "rail_column", "id_column"]}),
        (_("Closed by people"), {"fields": ["verdict_column", "found_column"]}),
        (_("What the provider asks"), {"fields": ["needs_column", "due_column"]}),
        (_("Transfers"), {"fields": ["transfers_column"]}),
        (
            _("Record"),
            {"fields": ["branch", "application", "created_column", "opened_column", "changed_column"]},
        ),
    ]
    readonly_fields = [
        "status_column",
        "party_name_column",
        "owed_column",
        "rail_column",
        "id_column",
        "verdict_column",
        "found_column",
        "needs_column",
        "due_column",
        "transfers_column",
        "created_column",
        "opened_column",
        "changed_column",
    ]

    def heading(self, row: ConnectedAccount) -> str:
        return str(row.party)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConnectedAccount]:
        found = connected_accounts.visible_to(request.user)
        return found.select_related("party", "branch", "application", "provider_account")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the parts of the page, without what nobody said."""
        hidden = set() if obj and obj.verdict_by else {"verdict_column"}
        return [part for part in super().get_fieldsets(request, obj) if hidden.isdisjoint(part[1]["fields"])]

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 (Django's signature)
        queryset: QuerySet[ConnectedAccount],
        search_term: str,
    ) -> tuple[QuerySet[ConnectedAccount], bool]:
        """Find by a part of the party's name, or by the whole id that the provider gave."""
        return connected_accounts.found_by(queryset, search_term), False

    @admin.display(description=_("Party"))
    def party_column(self, account: ConnectedAccount) -> SafeString:
        return format_html(
            '<span class="two"><b>{}</b><span class="t-ref">{}</span></span>', account.party, account.ticket
        )

    @admin.display(description=_("Party"))
    def party_name_column(self, account: ConnectedAccount) -> str:
        return str(account.party)

    @admin.display(description=_("Kept by"))
    def rail_column(self, account: ConnectedAccount) -> str:
        return f"{provider_name(account.provider)}: {account.provider_account}"

    @admin.display(description=_("Owed to the party here"))
    def owed_column(self, account: ConnectedAccount) -> SafeString:
        return money_html(transfers.owed_to(account))

    @admin.display(description=_("Still needed"))
    def needs_column(self, account: ConnectedAccount) -> Any:
        return needs.words(account.needs) or nothing_html()

    @admin.display(description=_("Needed until"))
    def due_column(self, account: ConnectedAccount) -> SafeString:
        return local_time_html(account.due_by)

    @admin.display(description=_("Status"))
    def status_column(self, account: ConnectedAccount) -> SafeString:
        return format_html("{} {}", states.of_account(account), account.failure_message)

    @admin.display(description=_("What shows it"))
    def verdict_column(self, account: ConnectedAccount) -> str:
        is_waiting = gettext("Other people are asked.") if account.judged_at is None else ""
        return f"{account.verdict_reason} {is_waiting}".strip()

    @admin.display(description=_("Found after all"))
    def found_column(self, account: ConnectedAccount) -> Any:
        if not account.is_found:
            return nothing_html()
        said = {"rail": provider_name(account.provider), "ticket": account.ticket}
        return gettext("%(rail)s has it as %(ticket)s. Close it there: nobody is paid by it.") % said

    @admin.display(description=_("Last transfers"))
    def transfers_column(self, account: ConnectedAccount) -> SafeString:
        last = account.transfers.order_by("-id")[:TRANSFERS_SHOWN]
        shown = [{"row": transfer, "badge": states.of_order(transfer)} for transfer in last]
        return render_to_string("disbursements/transfers.html", {"transfers": shown})

    @admin.display(description=_("Ids"))
    def id_column(self, account: ConnectedAccount) -> SafeString:
        return format_html(
            '<span class="t-ref">{}</span> <span class="t-ref">{}</span>',
            ids.encode("ca", account.id),
            account.ticket,
        )

    @admin.display(description=_("Asked for"))
    def created_column(self, account: ConnectedAccount) -> SafeString:
        return local_time_html(account.created_at)

    @admin.display(description=_("Opened"))
    def opened_column(self, account: ConnectedAccount) -> SafeString:
        return local_time_html(account.opened_at)

    @admin.display(description=_("Last change"))
    def changed_column(self, account: ConnectedAccount) -> SafeString:
        return local_time_html(account.changed_at)
