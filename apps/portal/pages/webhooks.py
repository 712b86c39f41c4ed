"""Webhook deliveries: the list, and one with its attempts."""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.portal.pages import frame
from apps.portal.selectors import webhooks

VIEWS = (
    ("", gettext_lazy("All")),
    ("PENDING", gettext_lazy("Pending")),
    ("DELIVERED", gettext_lazy("Delivered")),
    ("EXHAUSTED", gettext_lazy("Given up")),
    ("CANCELLED", gettext_lazy("Cancelled")),
)


@dataclass(frozen=True, slots=True)
class SavedView:
    title: str
    url: str
    is_active: bool


@frame.page("webhooks.view")
def deliveries(request: HttpRequest) -> HttpResponse:
    status = request.GET.get("status", "")
    rows = webhooks.deliveries(request.user)
    if status in dict(VIEWS) and status:
        rows = rows.filter(status=status)
    shown, pages = frame.keyset(request, rows)
    return frame.render(
        request,
        "portal/deliveries.html",
        title=_("Webhook deliveries"),
        views=[
            SavedView(str(title), f"?status={value}" if value else "?", value == status)
            for value, title in VIEWS
        ],
        rows=[webhooks.line(row) for row in shown],
        pages=pages,
    )


@frame.page("webhooks.view")
def delivery(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    detail = webhooks.detail(delivery_id, request.user)
    return frame.render(
        request,
        "portal/delivery.html",
        title=detail.line.event,
        crumbs=[frame.Crumb(_("Webhook deliveries"), reverse("portal-deliveries"))],
        delivery=detail.line,
        attempts=detail.attempts,
        payload=detail.payload,
        about=detail.about,
        identifiers=detail.identifiers,
    )
