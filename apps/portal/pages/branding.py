"""What Unfold draws around every page for one organisation: its name, colours, branches and the mark of test mode."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps.access.selectors import branches, scope
from apps.kit import brand
from apps.tenancy.selectors import branding

PRODUCT = "Treasury"

BASE = {
    "50": "#f8fafc",
    "100": "#f1f4f7",
    "200": "#e2e6ea",
    "300": "#ced3d9",
    "400": "#8b939c",
    "500": "#636b75",
    "600": "#49515a",
    "700": "#343b43",
    "800": "#22282f",
    "900": "#14181c",
    "950": "#090b0f",
}
FONT = {
    "subtle-light": "var(--color-base-500)",
    "subtle-dark": "#a0a8b1",
    "default-light": "var(--color-base-600)",
    "default-dark": "var(--color-base-300)",
    "important-light": "var(--color-base-900)",
    "important-dark": "var(--color-base-100)",
}


def colors(request: HttpRequest) -> dict[str, dict[str, str]]:
    """
    Return every scale as a fresh dict.

    Unfold writes what it computed back into the dict it gets: one dict shared by two organisations would give the
    second the first one's brand.
    """
    seed = getattr(_organisation(request), "brand_color", "")
    return {
        "base": dict(BASE),
        "primary": brand.scale(seed if brand.is_colour(seed) else brand.DEFAULT),
        "font": dict(FONT),
    }


def site_header(request: HttpRequest) -> str:
    return getattr(_organisation(request), "name", "") or PRODUCT


def site_icon(request: HttpRequest) -> str:
    """Return the address of the organisation's logo; "" where there is none, and the initials are drawn."""
    organisation = _organisation(request)
    return branding.of(organisation).logo_path if organisation else ""


def site_subheader(request: HttpRequest) -> str:
    """Say which branches the person works for; nothing before sign-in and where there are no branches."""
    if _organisation(request) is None or not request.user.is_authenticated:
        return ""
    if scope.branch_ids(request.user) is None:
        return _("All branches")
    return ", ".join(branches.visible_to(request.user).order_by("name").values_list("name", flat=True))


def environment(request: HttpRequest) -> list[str] | None:
    """Only test mode is labelled: a label that is always there is no longer read."""
    return [_("Test"), "warning"] if getattr(_organisation(request), "is_test", False) else None


def environment_prefix(request: HttpRequest) -> str:
    return "[Test]" if getattr(_organisation(request), "is_test", False) else ""


def _organisation(request: HttpRequest) -> Any:
    """Return the organisation that the host name chose, or None outside of one."""
    organisation = getattr(request, "tenant", None)
    return organisation if getattr(organisation, "slug", "") else None
