"""Saved methods in the organisation's site: a list to find them, a page with what the payer agreed to, a dialog to forget."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.integrations.contracts import provider_name
from apps.kit import ids
from apps.kit.admin import ReadOnlyAdmin, badge, local_time_html, nothing_html
from apps.kit.status_filter import StatusFilter
from apps.payments.admin.filters import BranchFilter, CreatedFilter
from apps.payments.contracts.saving import CONSENT_USES, ConsentUse, SavedMethodStatus
from apps.payments.dialogs.saved_methods import ForgetMethod
from apps.payments.models import SavedMethod
from apps.payments.selectors import saved_methods

BADGES: Mapping[SavedMethodStatus, tuple[str, str, Any]] = {
    SavedMethodStatus.REQUESTED: ("pending", "schedule_send", _("Being asked for")),
    SavedMethodStatus.UNKNOWN: ("unknown", "help", _("Unknown")),
    SavedMethodStatus.PENDING: ("held", "touch_app", _("Payer has not agreed yet")),
    SavedMethodStatus.ACTIVE: ("done", "check_circle", _("Saved")),
    SavedMethodStatus.FORGETTING: ("pending", "hourglass_top", _("Being forgotten")),
    SavedMethodStatus.FORGOTTEN: ("quiet", "delete_forever", _("Forgotten")),
    SavedMethodStatus.FAILED: ("failed", "cancel", _("Not saved")),
}


class SavedStatusFilter(StatusFilter):
    words = {state: BADGES[state][2] for state in SavedMethodStatus}


@admin.register(SavedMethod)
class SavedMethodAdmin(ReadOnlyAdmin):
    """Ways to pay that payers of the reader's branches let us keep, newest first; their tokens are shown to nobody."""

    list_display = [
        "payer_column",
        "card_column",
        "use_column",
        "branch",
        "created_column",
        "status_column",
    ]
    list_display_links = ["payer_column"]
    list_filter = [SavedStatusFilter, BranchFilter, ("created_at", CreatedFilter)]
    list_filter_submit = True
    empty_text = _("A way to pay appears here when an application asks a payer to let it be saved.")
    search_fields = ["payer_reference"]
    search_help_text = _("The application's id of the payer")
    dialogs = [ForgetMethod]
    fieldsets = [
        (None, {"fields": ["status_column", "card_column", "rail_column", "reference_column"]}),
        (_("Payer"), {"fields": ["name_column", "payers_id_column", "branch", "application"]}),
        (
            _("Consent"),
            {"fields": ["text_column", "use_column", "consented_column", "address_column"]},
        ),
        (
            _("Record"),
            {"fields": ["created_column", "saved_column", "asked_column", "forgotten_column"]},
        ),
    ]
    readonly_fields = [
        "status_column",
        "name_column",
        "payers_id_column",
        "text_column",
        "address_column",
        "card_column",
        "rail_column",
        "reference_column",
        "use_column",
        "consented_column",
        "created_column",
        "saved_column",
        "asked_column",
        "forgotten_column",
    ]

    def heading(self, row: SavedMethod) -> str:
        return row.payer_name or row.payer_reference

    def get_queryset(self, request: HttpRequest) -> QuerySet[SavedMethod]:
        return saved_methods.visible_to(request.user).select_related(
            "branch", "application", "provider_account"
        )

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 (Django's signature)
        queryset: QuerySet[SavedMethod],
        search_term: str,
    ) -> tuple[QuerySet[SavedMethod], bool]:
        """Find exactly: part of an id finds nothing."""
        return saved_methods.found_by(queryset, search_term), False

    @admin.display(description=_("Payer"))
    def payer_column(self, saved: SavedMethod) -> SafeString:
        return format_html(
            '<span class="two"><b>{}</b><span class="t-ref">{}</span></span>',
            saved.payer_name or _("Not named"),
            saved.payer_reference,
        )

    @admin.display(description=_("Card or wallet"))
    def card_column(self, saved: SavedMethod) -> SafeString:
        if not saved.brand:
            return nothing_html()
        return format_html(
            '<span class="two"><b class="font-normal">{}</b><span>{}</span></span>',
            str(saved),
            _("until %(month)s") % {"month": "/".join(reversed(saved.expires.split("-")))}
            if saved.expires
            else "",
        )

    @admin.display(description=_("Agreed to"))
    def use_column(self, saved: SavedMethod) -> str:
        return str(CONSENT_USES[ConsentUse(saved.consent_use)])

    @admin.display(description=_("Kept by"))
    def rail_column(self, saved: SavedMethod) -> str:
        return f"{provider_name(saved.provider)}: {saved.provider_account}"

    @admin.display(description=_("Status"))
    def status_column(self, saved: SavedMethod) -> SafeString:
        shown = badge(*BADGES[SavedMethodStatus(saved.status)])
        return format_html("{} {}", shown, saved.failure_message) if saved.failure_message else shown

    @admin.display(description=_("Name"))
    def name_column(self, saved: SavedMethod) -> str:
        return saved.payer_name or str(_("Not named"))

    @admin.display(description=_("Payer's id"))
    def payers_id_column(self, saved: SavedMethod) -> SafeString:
        return format_html('<span class="t-ref">{}</span>', saved.payer_reference)

    @admin.display(description=_("Words agreed to"))
    def text_column(self, saved: SavedMethod) -> str:
        return saved.consent_text

    @admin.display(description=_("From address"))
    def address_column(self, saved: SavedMethod) -> Any:
        return saved.consent_address or nothing_html()

    @admin.display(description=_("Id"))
    def reference_column(self, saved: SavedMethod) -> SafeString:
        return format_html('<span class="t-ref">{}</span>', ids.encode("pm", saved.id))

    @admin.display(description=_("Agreed"))
    def consented_column(self, saved: SavedMethod) -> SafeString:
        return local_time_html(saved.consent_at)

    @admin.display(description=_("Asked"))
    def created_column(self, saved: SavedMethod) -> SafeString:
        return local_time_html(saved.created_at)

    @admin.display(description=_("Saved"))
    def saved_column(self, saved: SavedMethod) -> SafeString:
        return local_time_html(saved.saved_at)

    @admin.display(description=_("Forgetting asked for"))
    def asked_column(self, saved: SavedMethod) -> SafeString:
        if saved.forget_requested_at is None:
            return nothing_html()
        return format_html("{} {}", local_time_html(saved.forget_requested_at), saved.forget_requested_by)

    @admin.display(description=_("Forgotten"))
    def forgotten_column(self, saved: SavedMethod) -> SafeString:
        return local_time_html(saved.forgotten_at)
