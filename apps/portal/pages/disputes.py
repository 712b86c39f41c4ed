"""The page of one dispute."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.access.contracts import PERMISSIONS
from apps.kit import clock
from apps.portal.pages import frame
from apps.portal.selectors import disputes


@frame.page("payments.view")
def show(request: HttpRequest, dispute_id: UUID) -> HttpResponse:
    held = {name for name in PERMISSIONS if request.user.has_perm(name)}
    page = disputes.page(dispute_id, request.user, permissions=held, now=clock.now())
    return frame.render(
        request,
        "portal/dispute.html",
        title=_("Dispute %(dispute)s") % {"dispute": page.dispute.ticket},
        crumbs=[frame.Crumb(_("Disputes"), reverse("admin:payments_dispute_changelist"))],
        page=page,
        dispute=page.dispute,
        page_buttons=frame.buttons(request, "payments.Dispute", dispute_id),
    )
