"""Calls to providers and callbacks from them in the organisation's site: evidence, read only."""

from operator import itemgetter
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from apps.integrations.contracts import CallbackStatus, CallStatus, call_kinds, provider_choices
from apps.integrations.dialogs.callbacks import ReplayCallback, ReplayWaiting
from apps.integrations.models import ProviderCall, ProviderCallback
from apps.integrations.selectors import exchanges, kinds
from apps.kit.admin import ReadOnlyAdmin, badge, local_time_html, nothing_html
from apps.kit.related_filter import VisibleRelatedFilter
from apps.kit.status_filter import StatusFilter

CALLBACKS = {
    CallbackStatus.RECEIVED: ("pending", "schedule"),
    CallbackStatus.UNMATCHED: ("held", "help"),
    CallbackStatus.APPLIED: ("done", "check_circle"),
    CallbackStatus.DUPLICATE: ("quiet", "content_copy"),
    CallbackStatus.FORGED: ("failed", "gpp_bad"),
    CallbackStatus.MALFORMED: ("failed", "error"),
    CallbackStatus.IGNORED: ("quiet", "do_not_disturb_on"),
}


class KindFilter(DropdownFilter):
    """Rows of one kind, each by its word."""

    title = _("Kind")
    parameter_name = "kind"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002 (Django's signature)
        return queryset.filter(kind=self.value()) if self.value() else queryset


class CallKindFilter(KindFilter):
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002 (Django's signature)
        known = {kind for slug, _name in provider_choices() for kind in call_kinds(slug)}
        return sorted(((kind, kinds.called(kind)) for kind in known), key=itemgetter(1))


class CallbackKindFilter(KindFilter):
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002 (Django's signature)
        return list(kinds.CALLBACKS.items())


class CallStatusFilter(StatusFilter):
    words = kinds.CALL_STATES


class CallbackStatusFilter(StatusFilter):
    words = kinds.CALLBACK_STATES

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002 (Django's signature)
        return queryset.filter(processing__status=self.value()) if self.value() else queryset


@admin.register(ProviderCall)
class ProviderCallAdmin(ReadOnlyAdmin):
    """What we asked providers, and what they answered."""

    list_display = ["called", "kind_column", "account", "result", "elapsed"]
    list_filter = [CallKindFilter, CallStatusFilter, ("account", VisibleRelatedFilter)]
    list_filter_submit = True
    list_select_related = ["account"]
    search_fields = ["subject_id__exact"]
    search_help_text = _("Id of what it belongs to")
    fields = [
        "called", "kind_column", "account", "result", "problem_shown", "elapsed", "subject", "url_shown", "address_shown",
        "request_body_shown", "response_body_shown",
    ]  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderCall]:
        return exchanges.calls_visible_to(request.user)

    def heading(self, row: ProviderCall) -> str:
        return kinds.called(row.kind)

    @admin.display(description=_("Kind"))
    def kind_column(self, call: ProviderCall) -> str:
        return kinds.called(call.kind)

    @admin.display(description=_("Called"))
    def called(self, call: ProviderCall) -> SafeString:
        return local_time_html(call.called_at, seconds=True)

    @admin.display(description=_("Result"))
    def result(self, call: ProviderCall) -> SafeString:
        if call.status == CallStatus.NOT_SENT:
            return badge("failed", "cloud_off", str(_("Not sent")))
        if call.status == CallStatus.NO_ANSWER:
            return badge("unknown", "help", str(_("No answer")))
        is_success = call.response_status is not None and call.response_status < 300  # noqa: PLR2004 (HTTP success)
        tone, icon = ("done", "check_circle") if is_success else ("held", "error")
        return badge(tone, icon, f"HTTP {call.response_status}")

    @admin.display(description=_("Took"))
    def elapsed(self, call: ProviderCall) -> str:
        return f"{call.elapsed_ms} ms"

    @admin.display(description=_("Problem"))
    def problem_shown(self, call: ProviderCall) -> Any:
        return call.problem or nothing_html()

    @admin.display(description=_("Belongs to"))
    def subject(self, call: ProviderCall) -> SafeString:
        return _id(call.subject_id)

    @admin.display(description=_("Address"))
    def url_shown(self, call: ProviderCall) -> SafeString:
        return format_html('{} <span class="t-ref">{}</span>', call.method, call.url)

    @admin.display(description=_("Reached at"))
    def address_shown(self, call: ProviderCall) -> Any:
        return call.address or nothing_html()

    @admin.display(description=_("Request"))
    def request_body_shown(self, call: ProviderCall) -> SafeString:
        return _block(call.request_body)

    @admin.display(description=_("Answer"))
    def response_body_shown(self, call: ProviderCall) -> SafeString:
        return _block(call.response_body)


@admin.register(ProviderCallback)
class ProviderCallbackAdmin(ReadOnlyAdmin):
    """What providers sent us, and what became of it."""

    list_display = ["received", "kind_column", "state", "note", "address_shown"]
    list_filter = [CallbackKindFilter, CallbackStatusFilter]
    list_filter_submit = True
    list_select_related = ["processing"]
    dialogs = [ReplayCallback, ReplayWaiting]
    empty_text = _("What a provider tells us appears here, whatever becomes of it.")
    search_fields = ["processing__subject_id__exact"]
    search_help_text = _("Id of what it belongs to")
    fields = [
        "received",
        "kind_column",
        "state",
        "note",
        "subject",
        "address_shown",
        "sha256_shown",
        "body_shown",
    ]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderCallback]:
        return exchanges.callbacks_visible_to(request.user).select_related("processing")

    def presets(self, request: HttpRequest) -> list[tuple[Any, str]]:  # noqa: ARG002 (the same for all)
        return [
            (title, urlencode({"status": status.value}))
            for title, status in (
                (_("Wait for people"), CallbackStatus.UNMATCHED),
                (_("Malformed"), CallbackStatus.MALFORMED),
                (_("Forged"), CallbackStatus.FORGED),
            )
        ]

    def heading(self, row: ProviderCallback) -> str:
        return kinds.named(row)

    @admin.display(description=_("Kind"))
    def kind_column(self, callback: ProviderCallback) -> str:
        return kinds.told(callback.kind)

    @admin.display(description=_("Received"))
    def received(self, callback: ProviderCallback) -> SafeString:
        return local_time_html(callback.received_at, seconds=True)

    @admin.display(description=_("State"))
    def state(self, callback: ProviderCallback) -> SafeString:
        status = CallbackStatus(callback.processing.status)
        return badge(*CALLBACKS[status], kinds.CALLBACK_STATES[status])

    @admin.display(description=_("Note"))
    def note(self, callback: ProviderCallback) -> str:
        return callback.processing.note

    @admin.display(description=_("Belongs to"))
    def subject(self, callback: ProviderCallback) -> SafeString:
        return _id(callback.processing.subject_id)

    @admin.display(description=_("From address"))
    def address_shown(self, callback: ProviderCallback) -> Any:
        return callback.remote_ip or nothing_html()

    @admin.display(description="SHA-256")
    def sha256_shown(self, callback: ProviderCallback) -> SafeString:
        return format_html('<span class="t-ref">{}</span>', callback.sha256)

    @admin.display(description=_("Body"))
    def body_shown(self, callback: ProviderCallback) -> SafeString:
        return _block(callback.readable_body())


def _id(identifier: UUID | None) -> SafeString:
    """Return an id that people may search these lists for, with a button that copies it."""
    if identifier is None:
        return nothing_html()
    copy = render_to_string("portal/parts/copy.html", {"value": identifier, "what": gettext("the id")})
    return format_html('<span class="t-ref">{}</span> {}', identifier, copy)


def _block(text: str) -> SafeString:
    return format_html('<pre class="p-pre" tabindex="0">{}</pre>', text)
