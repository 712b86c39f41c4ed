"""Webhook deliveries: the list, and one with its attempts."""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.kit.admin import ROWS, KeysetPaginator, cursor_of
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
    paginator = KeysetPaginator(rows, ROWS, cursor_of(request))
    return frame.render(
        request,
        "portal/deliveries.html",
        title=_("Webhook deliveries"),
        views=[
            SavedView(title, f"?status={value}" if value else "?", value == status) for value, title in VIEWS
        ],
        rows=[webhooks.line(row) for row in paginator.rows],
        pages=pages_of(paginator),
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


def pages_of(paginator: KeysetPaginator) -> frame.Pages:
    """Return the cursors around a page that was read."""
    return frame.Pages(
        newer=paginator.newer_key if paginator.has_newer else "",
        older=paginator.older_key if paginator.has_older else "",
    )
