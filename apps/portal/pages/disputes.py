"""The page of one dispute."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from apps.access.contracts import PERMISSIONS
from apps.kit import clock, ids
from apps.payments.selectors import disputes as stored
from apps.payments.services import dispute_evidence
from apps.portal.pages import frame
from apps.portal.selectors import disputes
from apps.portal.services import downloads


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


@frame.page("payments.view")
def file(request: HttpRequest, dispute_id: UUID, dispute_file_id: UUID) -> HttpResponse:
    """Give a file of the evidence out as it was attached, always as a download."""
    found = stored.file_of(request.user, dispute_id, dispute_file_id)
    content = dispute_evidence.read(found)
    downloads.record(
        what="dispute_file",
        object_id=str(found.id),
        reader=request.user,
        now=clock.now(),
        dispute=ids.encode(stored.PREFIX, dispute_id),
        name=found.name,
    )
    disposition = content_disposition_header(as_attachment=True, filename=found.name) or "attachment"
    headers = {"Content-Disposition": disposition}
    return HttpResponse(content, content_type=found.media_type, headers=headers)
