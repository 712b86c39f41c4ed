"""The list of movements that providers list and nobody could explain: what is left for people, and what became of the others."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.access.selectors import memberships
from apps.kit.actors import SYSTEM
from apps.kit.admin import ReadOnlyAdmin, badge, local_time_html, money_html, nothing_html
from apps.kit.status_filter import StatusFilter
from apps.payments.contracts.listed import MATTERS, ListedMatter, ListedStatus
from apps.payments.dialogs.listed_movements import PutMovementAway
from apps.payments.models import ListedMovement
from apps.payments.selectors import listed_movements

BADGES: Mapping[ListedStatus, tuple[str, str, Any]] = {
    ListedStatus.OPEN: ("held", "plagiarism", _("For people")),
    ListedStatus.EXPLAINED: ("done", "check_circle", _("Explained")),
    ListedStatus.PUT_AWAY: ("quiet", "archive", _("Put away")),
}


class ListedStatusFilter(StatusFilter):
    words = {state: BADGES[state][2] for state in ListedStatus}


@admin.register(ListedMovement)
class ListedMovementAdmin(ReadOnlyAdmin):
    """Listed movements of accounts of the reader's branches, the newest first, whatever became of them."""

    list_display = [
        "occurred_column",
        "movement_column",
        "matter_column",
        "closed_column",
        "status_column",
        "amount_column",
    ]
    list_display_links = ["movement_column"]
    list_filter = [ListedStatusFilter]
    list_filter_submit = True
    empty_text = _("A movement appears here when a provider lists it and nothing explains it.")
    search_fields = ["number"]
    search_help_text = _("Receipt, or the provider's number of the movement")
    fields = [
        "status_column", "amount_column", "matter_shown", "kind", "receipt_shown", "number_shown", "provider_account", "fee_shown",
        "booked_fee_shown", "payment_shown", "occurred_column", "listed_shown", "closed_shown", "closed_by_shown", "closed_column",
    ]  # fmt: skip
    readonly_fields = fields
    dialogs = [PutMovementAway]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ListedMovement]:
        return listed_movements.visible_to(request.user)

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 (Django's signature)
        queryset: QuerySet[ListedMovement],
        search_term: str,
    ) -> tuple[QuerySet[ListedMovement], bool]:
        """Find exactly: part of a receipt finds nothing."""
        return listed_movements.found_by(queryset, search_term), False

    def presets(self, request: HttpRequest) -> list[tuple[Any, str]]:  # noqa: ARG002 (the same for all)
        return [(BADGES[state][2], urlencode({"status": state.value})) for state in ListedStatus]

    @admin.display(description=_("Moved"))
    def occurred_column(self, movement: ListedMovement) -> SafeString:
        return local_time_html(movement.occurred_at or movement.listed_at)

    @admin.display(description=_("Movement"))
    def movement_column(self, movement: ListedMovement) -> SafeString:
        return format_html(
            '<span class="two"><b class="t-ref">{}</b><span>{}</span></span>',
            movement.receipt or movement.number,
            movement.kind,
        )

    @admin.display(description=_("Why it is here"))
    def matter_column(self, movement: ListedMovement) -> SafeString:
        return format_html(
            '<span class="two"><b class="font-normal">{}</b><span>{}</span></span>',
            MATTERS[ListedMatter(movement.matter)],
            movement.provider_account.label,
        )

    @admin.display(description=_("Why it was closed"))
    def closed_column(self, movement: ListedMovement) -> SafeString | str:
        return movement.reason or nothing_html()

    @admin.display(description=_("Status"))
    def status_column(self, movement: ListedMovement) -> SafeString:
        return badge(*BADGES[ListedStatus(movement.status)])

    @admin.display(description=_("Amount"))
    def amount_column(self, movement: ListedMovement) -> SafeString:
        return money_html(movement.money, css="" if movement.is_open else "t-sub")

    @admin.display(description=_("Why it is here"))
    def matter_shown(self, movement: ListedMovement) -> str:
        return str(MATTERS[ListedMatter(movement.matter)])

    @admin.display(description=_("Receipt"))
    def receipt_shown(self, movement: ListedMovement) -> SafeString:
        return _reference(movement.receipt)

    @admin.display(description=_("The provider's number"))
    def number_shown(self, movement: ListedMovement) -> SafeString:
        return _reference(movement.number)

    @admin.display(description=_("Fee as listed"))
    def fee_shown(self, movement: ListedMovement) -> SafeString:
        return money_html(movement.fee)

    @admin.display(description=_("Fee as booked"))
    def booked_fee_shown(self, movement: ListedMovement) -> SafeString:
        return money_html(movement.attempt.fee if movement.attempt else None)

    @admin.display(description=_("Payment"))
    def payment_shown(self, movement: ListedMovement) -> SafeString:
        if movement.attempt is None:
            return nothing_html()
        url = reverse("portal-payment", args=[movement.attempt.intent_id])
        return format_html('<a class="t-ref" href="{}">{}</a>', url, movement.attempt.code)

    @admin.display(description=_("Listed"))
    def listed_shown(self, movement: ListedMovement) -> SafeString:
        return local_time_html(movement.listed_at)

    @admin.display(description=_("Closed"))
    def closed_shown(self, movement: ListedMovement) -> SafeString:
        return local_time_html(movement.closed_at)

    @admin.display(description=_("Closed by"))
    def closed_by_shown(self, movement: ListedMovement) -> SafeString | str:
        person = movement.closed_by.partition(":")[2]
        if movement.closed_by == str(SYSTEM):
            return "Treasury"
        return memberships.names_of([person]).get(person, person) or nothing_html()


def _reference(text: str) -> SafeString:
    return format_html('<span class="t-ref">{}</span>', text) if text else nothing_html()
