"""Sandbox inboxes: what arrived, and whether its signature holds."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.portal.pages import frame
from apps.portal.selectors import webhooks


@frame.page("webhooks.view")
def inboxes(request: HttpRequest) -> HttpResponse:
    return frame.render(
        request,
        "portal/inboxes.html",
        title=_("Sandbox inboxes"),
        inboxes=webhooks.inbox_lines(request.user),
    )


@frame.page("webhooks.view")
def inbox(request: HttpRequest, inbox_id: UUID) -> HttpResponse:
    shown = webhooks.inbox(inbox_id, request.user)
    shown_requests, pages = frame.keyset(request, webhooks.arrivals(inbox_id))
    return frame.render(
        request,
        "portal/inbox.html",
        title=shown.label,
        crumbs=[frame.Crumb(_("Sandbox inboxes"), reverse("portal-inboxes"))],
        inbox=shown,
        arrivals=[webhooks.arrival(row) for row in shown_requests],
        pages=pages,
    )
