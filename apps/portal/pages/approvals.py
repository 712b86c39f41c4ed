"""The approvals inbox, oldest first, and the page of one request."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.kit import clock
from apps.portal.pages import frame
from apps.portal.selectors import approvals

FOR_ME = "for_me"
TABS = {
    FOR_ME: gettext_lazy("For me"),
    "all": gettext_lazy("All waiting"),
    "asked": gettext_lazy("I asked"),
    "done": gettext_lazy("Done today"),
}
DECIDING = {"approve", "refuse"}


@frame.page("approvals.view")
def inbox(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    chosen = request.GET.get("view", FOR_ME)
    chosen = chosen if chosen in TABS else FOR_ME
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    queue = approvals.queue(request.user, chosen, now=now, since=today)
    return frame.render(
        request,
        "portal/approvals.html",
        title=_("Approvals"),
        views=[
            frame.Tab(str(title), queue.counts[name], f"?view={name}", name == chosen)
            for name, title in TABS.items()
        ],
        chosen=chosen,
        rows=queue.lines,
        approve_selected=_approve_selected(request),
        now=now,
    )


@frame.page("approvals.view")
def show(request: HttpRequest, request_id: UUID) -> HttpResponse:
    now = clock.now()
    detail = approvals.detail(request_id, request.user, now=now)
    buttons = [
        button
        for button in frame.buttons(request, "approvals.ApprovalRequest", request_id)
        if _may(button.url.rstrip("/").rpartition("/")[2], detail.line)
    ]
    return frame.render(
        request,
        "portal/approval.html",
        title=detail.line.title,
        crumbs=[frame.Crumb(_("Approvals"), reverse("portal-approvals"))],
        approval=detail,
        line=detail.line,
        page_buttons=buttons,
        now=now,
    )


def _approve_selected(request: HttpRequest) -> str:
    """Return where several requests are approved at once; empty for who decides none."""
    if not request.user.has_perm("approvals.decide"):
        return ""
    return reverse("admin:approvals_approvalrequest_approve-many_list")


def _may(deed: str, line: approvals.QueueLine) -> bool:
    """Say whether to show a button; the service decides all the same."""
    return line.is_for_me if deed in DECIDING else line.is_mine
