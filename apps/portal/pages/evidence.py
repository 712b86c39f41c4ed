"""The page of what waits for evidence: outcomes that nobody knows, and money that nobody has explained."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from apps.payments.contracts import RESOLVE
from apps.portal.pages import frame
from apps.portal.selectors import evidence


@frame.page("payments.view")
def show(request: HttpRequest) -> HttpResponse:
    return frame.render(
        request,
        "portal/evidence.html",
        title=_("Evidence"),
        queue=evidence.queue(request.user),
        put_away=request.user.has_perm(RESOLVE),
    )
