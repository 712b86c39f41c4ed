"""Calls to providers and callbacks from them in the organisation's site: evidence, read only."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.integrations.contracts import CallbackStatus, CallStatus
from apps.integrations.dialogs.callbacks import ReplayCallback, ReplayWaiting
from apps.integrations.models import ProviderCall, ProviderCallback
from apps.integrations.selectors import exchanges
from apps.kit.admin import ReadOnlyAdmin, badge, local_time_html
from apps.kit.related_filter import VisibleRelatedFilter

CALLBACKS = {
    CallbackStatus.RECEIVED: ("pending", "schedule", _("Received")),
    CallbackStatus.UNMATCHED: ("held", "help", _("Unmatched")),
    CallbackStatus.APPLIED: ("done", "check_circle", _("Applied")),
    CallbackStatus.DUPLICATE: ("quiet", "content_copy", _("Duplicate")),
    CallbackStatus.FORGED: ("failed", "gpp_bad", _("Forged")),
    CallbackStatus.MALFORMED: ("failed", "error", _("Malformed")),
    CallbackStatus.IGNORED: ("quiet", "do_not_disturb_on", _("Ignored")),
}


@admin.register(ProviderCall)
class ProviderCallAdmin(ReadOnlyAdmin):
    """What we asked providers, and what they answered."""

    list_display = ["called", "kind", "account", "result", "elapsed", "subject_id"]
    list_filter = ["kind", "status", ("account", VisibleRelatedFilter)]
    list_select_related = ["account"]
    search_fields = ["subject_id__exact"]
    fields = [
        "called", "kind", "account", "subject_id", "method", "url", "address", "result", "problem", "elapsed",
        "request_body_shown", "response_body_shown",
    ]  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderCall]:
        return exchanges.calls_visible_to(request.user)

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

    @admin.display(description=_("Request"))
    def request_body_shown(self, call: ProviderCall) -> SafeString:
        return _block(call.request_body)

    @admin.display(description=_("Answer"))
    def response_body_shown(self, call: ProviderCall) -> SafeString:
        return _block(call.response_body)


@admin.register(ProviderCallback)
class ProviderCallbackAdmin(ReadOnlyAdmin):
    """What providers sent us, and what became of it."""

    list_display = ["received", "kind", "state", "note", "remote_ip", "subject"]
    list_filter = ["kind", "processing__status"]
    list_select_related = ["processing"]
    dialogs = [ReplayCallback, ReplayWaiting]
    empty_text = _("What a provider tells us appears here, whatever becomes of it.")
    search_fields = ["processing__subject_id__exact"]
    fields = ["received", "kind", "state", "note", "subject", "remote_ip", "sha256", "body_shown"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderCallback]:
        return exchanges.callbacks_visible_to(request.user).select_related("processing")

    def presets(self, request: HttpRequest) -> list[tuple[Any, str]]:  # noqa: ARG002 (the same for all)
        return [
            (title, urlencode({"processing__status__exact": status.value}))
            for title, status in (
                (_("Wait for people"), CallbackStatus.UNMATCHED),
                (_("Malformed"), CallbackStatus.MALFORMED),
                (_("Forged"), CallbackStatus.FORGED),
            )
        ]

    @admin.display(description=_("Received"))
    def received(self, callback: ProviderCallback) -> SafeString:
        return local_time_html(callback.received_at, seconds=True)

    @admin.display(description=_("State"))
    def state(self, callback: ProviderCallback) -> SafeString:
        return badge(*CALLBACKS[CallbackStatus(callback.processing.status)])

    @admin.display(description=_("Note"))
    def note(self, callback: ProviderCallback) -> str:
        return callback.processing.note

    @admin.display(description=_("Belongs to"))
    def subject(self, callback: ProviderCallback) -> str:
        return str(callback.processing.subject_id or "")

    @admin.display(description=_("Body"))
    def body_shown(self, callback: ProviderCallback) -> SafeString:
        return _block(callback.readable_body())


def _block(text: str) -> SafeString:
    return format_html('<pre class="p-pre" tabindex="0">{}</pre>', text)
