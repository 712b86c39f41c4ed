"""Parties in the organisation's admin: a list to find them, and a page of facts; every change is a dialog."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from apps.access.selectors import branches
from apps.kit import ids, masks
from apps.kit.admin import ReadOnlyAdmin, badge, local_time_html, masked_phone, nothing_html
from apps.kit.dialog_admin import exporting
from apps.parties.contracts import (
    CHANNELS,
    IN_USE,
    KINDS,
    LANGUAGES,
    STATES,
    Channel,
    ContactKind,
    Language,
    PartyKind,
)
from apps.parties.dialogs import AddParty, ArchiveParty, ChangeParty
from apps.parties.models import ContactPoint, Party
from apps.parties.selectors import parties

ICONS: Mapping[PartyKind, str] = {
    PartyKind.CUSTOMER: "person",
    PartyKind.SUPPLIER: "local_shipping",
    PartyKind.MERCHANT: "storefront",
    PartyKind.RIDER: "two_wheeler",
    PartyKind.BRANCH: "store",
}


class KindFilter(DropdownFilter):
    title = _("Kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002 (Django's signature)
        return [(kind.value, word) for kind, word in KINDS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Party]) -> QuerySet[Party]:  # noqa: ARG002 (Django's signature)
        return queryset.filter(kind=self.value()) if self.value() else queryset


class StateFilter(DropdownFilter):
    title = _("State")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002 (Django's signature)
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Party]) -> QuerySet[Party]:  # noqa: ARG002 (Django's signature)
        if self.value() not in STATES:
            return queryset
        return queryset.filter(archived_at__isnull=self.value() == IN_USE)


class BranchFilter(DropdownFilter):
    """The reader's own branches only."""

    title = _("Branch")
    parameter_name = "branch"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 (Django's signature)
        shown = branches.visible_to(request.user).order_by("name")
        return [(str(branch.id), branch.name) for branch in shown]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Party]) -> QuerySet[Party]:  # noqa: ARG002 (Django's signature)
        known = {key for key, _name in self.lookup_choices}
        return queryset.filter(branch_id=self.value()) if self.value() in known else queryset


@admin.register(Party)
class PartyAdmin(ReadOnlyAdmin):
    """Parties of the reader's branches, newest first, contacts and tax PIN masked; who changes one sees them whole, on record."""

    list_display = [
        "name_column",
        "kind_column",
        "contact_column",
        "branch",
        "created_column",
        "state_column",
    ]
    list_filter = [KindFilter, BranchFilter, StateFilter]
    list_filter_submit = True
    empty_text = _("A party appears here when somebody adds it, or an application records it over the API.")
    nothing_found_text = _("A part of the name is enough; everything else is looked up exactly as written.")
    search_fields = ["display_name"]
    search_help_text = _("Name, phone, e-mail, tax PIN or external id")
    dialogs = [AddParty, ChangeParty, ArchiveParty, exporting("parties")]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "kind_column",
                    "state_column",
                    "display_name",
                    "legal_name",
                    "tax_pin_column",
                    "external_id",
                    "branch",
                    "application",
                    "reference_column",
                ]
            },
        ),
        (_("Contacts"), {"fields": ["phones_column", "emails_column"]}),
        (_("Preferences"), {"fields": ["channel_column", "language_column"]}),
        (_("Record"), {"fields": ["created_column", "changed_column", "version"]}),
    ]
    readonly_fields = [
        "kind_column",
        "state_column",
        "tax_pin_column",
        "reference_column",
        "phones_column",
        "emails_column",
        "channel_column",
        "language_column",
        "created_column",
        "changed_column",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Party]:
        return parties.visible_to(request.user).select_related("branch", "application")

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 (Django's signature)
        queryset: QuerySet[Party],
        search_term: str,
    ) -> tuple[QuerySet[Party], bool]:
        """Find by a part of the name, or by a whole number, address or id."""
        return parties.found_by(queryset, search_term), False

    def presets(self, request: HttpRequest) -> list[tuple[Any, str]]:  # noqa: ARG002 (the same for all)
        return [(_("In use"), f"state={IN_USE}")]

    @admin.display(description=_("Name"))
    def name_column(self, party: Party) -> SafeString:
        return format_html(
            '<span class="two"><b>{}</b><span class="t-ref">{}</span></span>',
            party.display_name,
            party.external_id,
        )

    @admin.display(description=_("Kind"))
    def kind_column(self, party: Party) -> SafeString:
        kind = PartyKind(party.kind)
        return badge("quiet", ICONS[kind], str(KINDS[kind]))

    @admin.display(description=_("Contact"))
    def contact_column(self, party: Party) -> Any:
        contact = parties.main_contact(party)
        return _shown(contact) if contact else nothing_html()

    @admin.display(description=_("Tax PIN"))
    def tax_pin_column(self, party: Party) -> Any:
        return masks.tax_pin(party.tax_pin) or nothing_html()

    @admin.display(description=_("Phones"))
    def phones_column(self, party: Party) -> SafeString:
        return _lines(party, ContactKind.PHONE)

    @admin.display(description=_("E-mail addresses"))
    def emails_column(self, party: Party) -> SafeString:
        return _lines(party, ContactKind.EMAIL)

    @admin.display(description=_("State"))
    def state_column(self, party: Party) -> SafeString:
        if party.archived_at is None:
            return badge("done", "check_circle", str(STATES[IN_USE]))
        return format_html(
            "{} {}", badge("quiet", "archive", str(_("Archived"))), local_time_html(party.archived_at)
        )

    @admin.display(description=_("Id"))
    def reference_column(self, party: Party) -> SafeString:
        return format_html('<span class="t-ref">{}</span>', ids.encode("pty", party.id))

    @admin.display(description=_("Written to by"))
    def channel_column(self, party: Party) -> str:
        return str(CHANNELS[Channel(party.channel)])

    @admin.display(description=_("Language"))
    def language_column(self, party: Party) -> str:
        return str(LANGUAGES[Language(party.language)])

    @admin.display(description=_("Recorded"))
    def created_column(self, party: Party) -> SafeString:
        return local_time_html(party.created_at)

    @admin.display(description=_("Changed"))
    def changed_column(self, party: Party) -> SafeString:
        return local_time_html(party.updated_at)


def _lines(party: Party, kind: ContactKind) -> SafeString:
    """Return the contacts of a kind below each other, the primary one first; reads what is loaded."""
    primary = badge("done", "star", str(_("Primary")))
    lines = [
        (_shown(one), primary if one.is_primary else "") for one in party.contacts.all() if one.kind == kind
    ]
    return format_html_join(SafeString("<br>"), "{} {}", lines) if lines else nothing_html()


def _shown(contact: ContactPoint) -> str:
    return masked_phone(contact.value) if contact.kind == ContactKind.PHONE else masks.email(contact.value)
