"""The permission matrix: every permission, the roles that hold it, and what it opens, all read from the code."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _

from apps.access.contracts import GIVEN_BY, PERMISSION_AREAS, PERMISSIONS
from apps.access.selectors import roles
from apps.kit.dialogs import Dialog
from apps.portal.pages import frame, menu


@dataclass(frozen=True, slots=True)
class Line:
    """One permission: what it opens, and for each role whether it holds it."""

    name: str
    meaning: str
    area: str
    pages: Sequence[str]
    dialogs: Sequence[str]
    scopes: Sequence[str]
    held: Sequence[bool]


def lines(holdings: Sequence[Collection[str]]) -> list[Line]:
    """Return every permission in the order of the code, beside the permissions of each role."""
    pages, dialogs = _pages(), _dialogs()
    return [
        Line(
            name=name,
            meaning=str(meaning),
            area=str(PERMISSION_AREAS[name.partition(".")[0]]),
            pages=pages.get(name, []),
            dialogs=dialogs.get(name, []),
            scopes=[scope for scope, needed in GIVEN_BY.items() if name in needed],
            held=[name in held for held in holdings],
        )
        for name, meaning in PERMISSIONS.items()
    ]


def _pages() -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for _title, items in menu.GROUPS:
        for item in items:
            found.setdefault(item.permission, []).append(str(item.title))
    return found


def _dialogs() -> Mapping[str, list[str]]:
    found: dict[str, set[str]] = {}
    for kind in _below(Dialog):
        if "tests." not in kind.__module__ and hasattr(kind, "label") and hasattr(kind, "permission"):
            found.setdefault(kind.permission, set()).add(str(kind.label).rstrip("…"))
    return {name: sorted(labels) for name, labels in found.items()}


def _below(kind: type[Dialog]) -> Iterator[type[Dialog]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


@frame.page("access.view")
def show(request: HttpRequest) -> HttpResponse:
    """Show the matrix with the roles of this organisation."""
    present = roles.in_use()
    return frame.render(
        request,
        "portal/permissions.html",
        title=_("Permissions"),
        crumbs=[frame.Crumb(_("Roles"), reverse("admin:access_role_changelist"))],
        roles=present,
        lines=lines([role.permissions for role in present]),
    )


urlpatterns = [path("access/permissions/", show, name="portal-permissions")]
