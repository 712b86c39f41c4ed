"""What people do with dead letters, webhook endpoints and deliveries to them."""

from collections.abc import Sequence

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.events.models import (
    DeliveryStatus,
    EndpointStatus,
    EventDelivery,
    WebhookDelivery,
    WebhookEndpoint,
)
from apps.events.services import deliveries, webhook_deliveries, webhook_endpoints
from apps.kit.dialogs import Answer, Content, Dialog, Effect, ReasonForm


class WebhooksDialog(Dialog):
    """What whoever manages webhooks may do, for one row or several."""

    permission = "webhooks.manage"
    on_rows = True
    on_selection = True


class DeadLetterDialog(WebhooksDialog):
    """What is done about events that a handler of ours has given up."""

    def is_offered(self, row: EventDelivery) -> bool:
        return row.status == DeliveryStatus.DEAD

    def lines(self, rows: Sequence[EventDelivery]) -> list[Effect]:
        return [Effect(f"{row.event.type} {row.seq}", row.last_error or row.handler) for row in rows]


class Requeue(DeadLetterDialog):
    """Try dead letters again."""

    name = "requeue"
    label = gettext_lazy("Requeue…")
    icon = "replay"

    def content(self, request: HttpRequest, rows: Sequence[EventDelivery]) -> Content:  # noqa: ARG002 (the rows say all)
        count = len(rows)
        return Content(
            title=ngettext("Requeue %(letter)s", "Requeue %(count)d dead letters", count)
            % {"letter": rows[0], "count": count},
            button=ngettext("Requeue the event", "Requeue %(count)d events", count) % {"count": count},
            effects=self.lines(rows),
            next_step=_("The handler runs again at once, 20 times at most; then it is a dead letter again."),
        )

    def act(self, row: EventDelivery, answer: Answer) -> str:
        deliveries.requeue(delivery_id=row.id, actor=answer.actor, now=answer.now)
        return _("%(letter)s: requeued.") % {"letter": row}


class Skip(DeadLetterDialog):
    """Give dead letters up for good, with the reason."""

    name = "skip"
    label = gettext_lazy("Skip…")
    icon = "skip_next"
    is_danger = True
    form_class = ReasonForm

    def content(self, request: HttpRequest, rows: Sequence[EventDelivery]) -> Content:  # noqa: ARG002 (the rows say all)
        count = len(rows)
        return Content(
            title=ngettext("Skip %(letter)s", "Skip %(count)d dead letters", count)
            % {"letter": rows[0], "count": count},
            button=ngettext("Skip the event", "Skip %(count)d events", count) % {"count": count},
            effects=self.lines(rows),
            next_step=_(
                "The handler never sees it; later events go on to it. It cannot be taken back, and the reason is kept."
            ),
        )

    def act(self, row: EventDelivery, answer: Answer) -> str:
        reason = answer.data["reason"]
        deliveries.skip(delivery_id=row.id, reason=reason, actor=answer.actor, now=answer.now)
        return _("%(letter)s: skipped.") % {"letter": row}


class EnableEndpoint(WebhooksDialog):
    """Send events to an endpoint again."""

    name = "enable"
    label = gettext_lazy("Enable…")
    icon = "play_circle"

    def is_offered(self, row: WebhookEndpoint) -> bool:
        return row.status != EndpointStatus.ENABLED

    def content(self, request: HttpRequest, rows: Sequence[WebhookEndpoint]) -> Content:  # noqa: ARG002 (the rows say all)
        count = len(rows)
        return Content(
            title=ngettext("Enable the endpoint", "Enable %(count)d endpoints", count) % {"count": count},
            button=ngettext("Enable the endpoint", "Enable %(count)d endpoints", count) % {"count": count},
            effects=[Effect(row.url, row.disabled_reason) for row in rows],
            next_step=_("New events are sent at once. What was given up can be replayed."),
        )

    def act(self, row: WebhookEndpoint, answer: Answer) -> str:
        webhook_endpoints.enable(endpoint_id=row.id, actor=answer.actor, now=answer.now)
        return _("%(endpoint)s: enabled.") % {"endpoint": row}


class DisableEndpoint(WebhooksDialog):
    """Send nothing more to an endpoint."""

    name = "disable"
    label = gettext_lazy("Disable…")
    icon = "pause_circle"
    is_danger = True

    def is_offered(self, row: WebhookEndpoint) -> bool:
        return row.status == EndpointStatus.ENABLED

    def content(self, request: HttpRequest, rows: Sequence[WebhookEndpoint]) -> Content:  # noqa: ARG002 (the rows say all)
        count = len(rows)
        return Content(
            title=ngettext("Disable the endpoint", "Disable %(count)d endpoints", count) % {"count": count},
            button=ngettext("Disable the endpoint", "Disable %(count)d endpoints", count) % {"count": count},
            effects=[Effect(row.url, row.description) for row in rows],
            next_step=_("Events of this time are not kept for it. You can enable it again."),
        )

    def act(self, row: WebhookEndpoint, answer: Answer) -> str:
        webhook_endpoints.disable(
            endpoint_id=row.id, reason="Switched off in the portal.", actor=answer.actor, now=answer.now
        )
        return _("%(endpoint)s: disabled.") % {"endpoint": row}


class Replay(WebhooksDialog):
    """Send a delivery once more, under its own webhook id."""

    name = "replay"
    label = gettext_lazy("Replay…")
    icon = "replay"

    def content(self, request: HttpRequest, rows: Sequence[WebhookDelivery]) -> Content:  # noqa: ARG002 (the rows say all)
        count = len(rows)
        return Content(
            title=ngettext("Replay %(event)s", "Replay %(count)d deliveries", count)
            % {"event": rows[0].event, "count": count},
            button=ngettext("Replay the delivery", "Replay %(count)d deliveries", count) % {"count": count},
            effects=[Effect(str(row.event), row.endpoint.url) for row in rows],
            next_step=_(
                "It is sent now under the same webhook id. What has been received cannot be recalled."
            ),
        )

    def act(self, row: WebhookDelivery, answer: Answer) -> str:
        webhook_deliveries.replay(delivery_id=row.id, actor=answer.actor, now=answer.now)
        return _("%(event)s: sent once more.") % {"event": row.event}
