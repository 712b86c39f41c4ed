"""Events, their deliveries, webhook endpoints and what was sent to them, in the portal: to read, and to put right."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from apps.events import rendering
from apps.events.dialogs import DisableEndpoint, EnableEndpoint, Replay, Requeue, Skip
from apps.events.models import (
    DeliveryStatus,
    EndpointStatus,
    EventDelivery,
    OutboxEvent,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookStatus,
)
from apps.kit import ids
from apps.kit.admin import ReadOnlyAdmin, badge, local_time_html

DELIVERY_BADGES = {
    DeliveryStatus.PENDING: ("pending", "hourglass_top", _("Pending")),
    DeliveryStatus.DONE: ("done", "check_circle", _("Done")),
    DeliveryStatus.DEAD: ("failed", "cancel", _("Dead")),
    DeliveryStatus.SKIPPED: ("quiet", "block", _("Skipped")),
}
ENDPOINT_BADGES = {
    EndpointStatus.ENABLED: ("done", "check_circle", _("Enabled")),
    EndpointStatus.DISABLED: ("quiet", "block", _("Disabled")),
    EndpointStatus.AUTO_DISABLED: ("failed", "cancel", _("Switched off")),
}
WEBHOOK_BADGES = {
    WebhookStatus.PENDING: ("pending", "hourglass_top", _("Pending")),
    WebhookStatus.DELIVERED: ("done", "check_circle", _("Delivered")),
    WebhookStatus.EXHAUSTED: ("failed", "cancel", _("Given up")),
    WebhookStatus.CANCELLED: ("quiet", "block", _("Cancelled")),
}


class BranchScopedAdmin(ReadOnlyAdmin):
    """Facts of the reader's branches; ``branch_path`` leads from a row to its branch."""

    branch_path = "branch_id"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        allowed: set[UUID] | None = import_string(settings.TREASURY["BRANCH_REACH"])(request.user)
        return rows if allowed is None else rows.filter(**{f"{self.branch_path}__in": allowed})


@admin.register(OutboxEvent)
class OutboxEventAdmin(BranchScopedAdmin):
    """What happened, as it was published."""

    list_display = ["type", "occurred", "audience_column", "about", "request_id"]
    list_filter = ["audience", "type"]
    search_fields = ["request_id__exact"]
    search_help_text = _("Request id")
    fields = [
        "type", "version", "audience_column", "occurred", "seq", "public_id", "aggregate_type", "aggregate_id",
        "aggregate_version", "request_id", "data_shown",
    ]  # fmt: skip
    readonly_fields = fields

    @admin.display(description=_("Occurred"))
    def occurred(self, event: OutboxEvent) -> SafeString:
        return local_time_html(event.occurred_at, seconds=True)

    @admin.display(description=_("Audience"))
    def audience_column(self, event: OutboxEvent) -> str:
        return event.audience.capitalize()

    @admin.display(description=_("About"))
    def about(self, event: OutboxEvent) -> str:
        return f"{event.aggregate_type.replace('_', ' ')} {event.aggregate_version}"

    @admin.display(description=_("Data"))
    def data_shown(self, event: OutboxEvent) -> SafeString:
        return format_html('<pre class="p-pre" tabindex="0">{}</pre>', rendering.readable(event.data))

    @admin.display(description=_("Id"))
    def public_id(self, event: OutboxEvent) -> str:
        return ids.encode("evt", event.id)


@admin.register(EventDelivery)
class EventDeliveryAdmin(BranchScopedAdmin):
    """Events on their way to our handlers. Dead ones are requeued or skipped here, with a reason; nothing is edited."""

    branch_path = "event__branch_id"
    list_display = ["event_type", "handler", "state", "attempts", "next_attempt", "last_error"]
    list_filter = ["status", "queue"]
    list_select_related = ["event"]
    search_fields = ["handler"]
    search_help_text = _("Handler")
    fields = [
        "event_type", "handler", "queue", "is_atomic", "state", "attempts", "next_attempt", "locked", "finished",
        "last_error",
    ]  # fmt: skip
    readonly_fields = fields
    dialogs = [Requeue, Skip]

    @admin.display(description=_("Event"))
    def event_type(self, row: EventDelivery) -> str:
        return f"{row.event.type} {row.seq}"

    @admin.display(description=_("Status"))
    def state(self, row: EventDelivery) -> SafeString:
        return badge(*DELIVERY_BADGES[DeliveryStatus(row.status)])

    @admin.display(description=_("Next attempt"))
    def next_attempt(self, row: EventDelivery) -> SafeString:
        return local_time_html(
            row.available_at if row.status == DeliveryStatus.PENDING else None, seconds=True
        )

    @admin.display(description=_("Leased until"))
    def locked(self, row: EventDelivery) -> SafeString:
        return local_time_html(row.locked_until, seconds=True)

    @admin.display(description=_("Finished"))
    def finished(self, row: EventDelivery) -> SafeString:
        return local_time_html(row.finished_at, seconds=True)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(BranchScopedAdmin):
    """Where applications want their events. Endpoints are made over the API; here they are switched off and on."""

    list_display = ["url", "description", "state", "wanted", "created"]
    list_filter = ["status"]
    fields = [
        "url", "description", "public_id", "application", "wanted", "state", "disabled_reason", "failing", "rotating",
        "created",
    ]  # fmt: skip
    readonly_fields = fields
    dialogs = [EnableEndpoint, DisableEndpoint]

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEndpoint]:
        return super().get_queryset(request).filter(deleted_at__isnull=True)

    @admin.display(description=_("Id"))
    def public_id(self, endpoint: WebhookEndpoint) -> str:
        return ids.encode("whe", endpoint.id)

    @admin.display(description=_("Application"))
    def application(self, endpoint: WebhookEndpoint) -> str:
        return ids.encode("app", endpoint.application_id)

    @admin.display(description=_("Events"))
    def wanted(self, endpoint: WebhookEndpoint) -> str:
        return ", ".join(endpoint.event_types) or "all"

    @admin.display(description=_("Status"))
    def state(self, endpoint: WebhookEndpoint) -> SafeString:
        return badge(*ENDPOINT_BADGES[EndpointStatus(endpoint.status)])

    @admin.display(description=_("Failing since"))
    def failing(self, endpoint: WebhookEndpoint) -> SafeString:
        return local_time_html(endpoint.failing_since)

    @admin.display(description=_("Old secret signs until"))
    def rotating(self, endpoint: WebhookEndpoint) -> SafeString:
        return local_time_html(endpoint.previous_secret_until)

    @admin.display(description=_("Created"))
    def created(self, endpoint: WebhookEndpoint) -> SafeString:
        return local_time_html(endpoint.created_at)


class WebhookAttemptInline(TabularInline):
    """Every attempt, with what came back."""

    model = WebhookAttempt
    extra = 0
    fields = [
        "number",
        "began",
        "duration_ms",
        "address",
        "http_status",
        "error",
        "error_detail",
        "response_body",
    ]
    readonly_fields = fields
    ordering = ["number"]

    @admin.display(description=_("At"))
    def began(self, attempt: WebhookAttempt) -> SafeString:
        return local_time_html(attempt.at, seconds=True)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002 (never)
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002 (never)
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002 (never)
        return False


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(BranchScopedAdmin):
    """Events on their way to partners, with every attempt."""

    branch_path = "event__branch_id"
    list_display = ["event_type", "endpoint", "state", "attempt_count", "answer", "created", "next_attempt"]
    list_filter = ["status"]
    list_select_related = ["event", "endpoint"]
    fields = [
        "event_type", "event_id_column", "public_id", "endpoint", "state", "attempt_count", "answer", "created",
        "next_attempt", "finished",
    ]  # fmt: skip
    readonly_fields = fields
    inlines = [WebhookAttemptInline]

    def heading(self, row: WebhookDelivery) -> str:
        return str(row.event)

    dialogs = [Replay]

    @admin.display(description=_("Event"))
    def event_type(self, row: WebhookDelivery) -> str:
        return row.event.type

    @admin.display(description=_("Webhook id"))
    def event_id_column(self, row: WebhookDelivery) -> str:
        return ids.encode("evt", row.event_id)

    @admin.display(description=_("Id"))
    def public_id(self, row: WebhookDelivery) -> str:
        return ids.encode("whd", row.id)

    @admin.display(description=_("Status"))
    def state(self, row: WebhookDelivery) -> SafeString:
        return badge(*WEBHOOK_BADGES[WebhookStatus(row.status)])

    @admin.display(description=_("Last answer"))
    def answer(self, row: WebhookDelivery) -> str:
        return str(row.last_http_status or row.get_last_error_display() or "none yet")

    @admin.display(description=_("Created"))
    def created(self, row: WebhookDelivery) -> SafeString:
        return local_time_html(row.created_at, seconds=True)

    @admin.display(description=_("Next attempt"))
    def next_attempt(self, row: WebhookDelivery) -> SafeString:
        return local_time_html(row.next_attempt_at, seconds=True)

    @admin.display(description=_("Finished"))
    def finished(self, row: WebhookDelivery) -> SafeString:
        return local_time_html(row.finished_at, seconds=True)
