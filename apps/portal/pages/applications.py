"""The applications of an organisation: who asks to be let in, who works here, who was invited."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _

from apps.kit import clock
from apps.kit.dialogs import Button, Dialog, button
from apps.portal.pages import application_dialogs as dialogs
from apps.portal.pages import frame, grant_dialogs
from apps.portal.selectors import application_links

OF_LINK = (dialogs.AcceptLink, dialogs.RefuseLink, grant_dialogs.ChangeGrant, dialogs.RevokeLink)
OF_CHANGE = (grant_dialogs.AgreeChange, grant_dialogs.RefuseChange)


@frame.page("access.view")
def index(request: HttpRequest) -> HttpResponse:
    overview = application_links.overview(request.user, now=clock.now())
    return frame.render(
        request,
        "portal/applications.html",
        title=_("Applications"),
        overview=overview,
        asking=[(row, _buttons(request, OF_LINK, "link", row)) for row in overview.asking],
        changes=[(row, _buttons(request, OF_CHANGE, "change", row)) for row in overview.changes],
        invites=[
            (row, _buttons(request, [dialogs.WithdrawInvite], "invite", row)) for row in overview.invites
        ],
        page_buttons=button(request, dialogs.MakeInvite, None, reverse("portal-application-invite")),
        may_add=request.user.has_perm("access.manage"),
    )


@frame.page("access.view")
def show(request: HttpRequest, application_id: UUID) -> HttpResponse:
    detail = application_links.detail(application_id, request.user, now=clock.now())
    buttons = _buttons(request, OF_LINK, "link", detail.link) if detail.link else []
    changes = application_links.changes_of(detail.link.pk, request.user) if detail.link else []
    return frame.render(
        request,
        "portal/application.html",
        title=detail.line.name,
        crumbs=[frame.Crumb(_("Applications"), reverse("portal-applications"))],
        application=detail,
        changes=[(row, _buttons(request, OF_CHANGE, "change", row)) for row in changes],
        page_buttons=buttons,
    )


def _buttons(request: HttpRequest, kinds: Iterable[type[Dialog]], what: str, row: Any) -> list[Button]:
    return [
        shown
        for kind in kinds
        for shown in button(
            request, kind, row, reverse(f"portal-application-{what}-{kind.name}", args=[row.pk])
        )
    ]


BELOW = "applications/"
urlpatterns = [
    path(BELOW, index, name="portal-applications"),
    path(f"{BELOW}<uuid:application_id>/", show, name="portal-application"),
    path(
        f"{BELOW}do/invite/",
        frame.dialog(dialogs.MakeInvite, find=dialogs.find_organisation, back=dialogs.back),
        name="portal-application-invite",
    ),
    *(
        path(
            f"{BELOW}links/<uuid:link_id>/do/{kind.name}/",
            frame.dialog(kind, find=dialogs.find_link, back=dialogs.back),
            name=f"portal-application-link-{kind.name}",
        )
        for kind in OF_LINK
    ),
    *(
        path(
            f"{BELOW}changes/<uuid:change_id>/do/{kind.name}/",
            frame.dialog(kind, find=grant_dialogs.find_change, back=dialogs.back),
            name=f"portal-application-change-{kind.name}",
        )
        for kind in OF_CHANGE
    ),
    path(
        f"{BELOW}invites/<uuid:invite_id>/do/withdraw/",
        frame.dialog(dialogs.WithdrawInvite, find=dialogs.find_invite, back=dialogs.back),
        name="portal-application-invite-withdraw",
    ),
]
