"""The page of one payment, and the PDF of its receipt."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.access.contracts import PERMISSIONS
from apps.kit import clock
from apps.portal.pages import frame
from apps.portal.selectors import payments
from apps.portal.services import downloads


@frame.page("payments.view")
def show(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    held = {name for name in PERMISSIONS if request.user.has_perm(name)}
    timeline = payments.timeline(payment_id, request.user, permissions=held)
    return frame.render(
        request,
        "portal/payment.html",
        title=timeline.payment.title,
        crumbs=[frame.Crumb(_("Payments"), reverse("admin:payments_paymentintent_changelist"))],
        payment=timeline.payment,
        timeline=timeline,
        page_buttons=frame.buttons(request, "payments.PaymentIntent", payment_id),
    )


@frame.page("invoicing.view")
def receipt_pdf(request: HttpRequest, receipt_id: UUID) -> HttpResponse:
    """Answer with the stored bytes, their SHA-256 as ETag."""
    number, sha256, content = payments.receipt_pdf(receipt_id, request.user)
    downloads.record(
        what="receipt", object_id=number, reader=request.user, now=clock.now(), id=receipt_id, sha256=sha256
    )
    headers = {"Content-Disposition": f'inline; filename="{number}.pdf"', "ETag": f'"{sha256}"'}
    return HttpResponse(content, content_type="application/pdf", headers=headers)
