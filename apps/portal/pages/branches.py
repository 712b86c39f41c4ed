"""The tree of branches."""

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _

from apps.kit.dialogs import Button
from apps.portal.pages import frame
from apps.portal.selectors import branches


@frame.page("access.view")
def show(request: HttpRequest) -> HttpResponse:
    """Show the reader's branches as a tree, and lead to where they are added, renamed and moved."""
    policy = Button(_("Who sees which…"), "visibility", reverse("admin:access_branch_policy_list"))
    return frame.render(
        request,
        "portal/branches.html",
        title=_("Branches"),
        tree=branches.tree(request.user),
        page_buttons=[policy] if request.user.has_perm("access.manage") else [],
    )


urlpatterns = [path("access/branches/", show, name="portal-branches")]
