"""The portal's frame: django-unfold, told by dotted paths what each organisation and person sees."""

from collections.abc import Callable

from django.http import HttpRequest
from django.templatetags.static import static


def own(name: str) -> Callable[[HttpRequest], str]:
    """Return what Unfold asks for the address of a file of ours: static files have their address only at run time."""
    return lambda _request: static(f"treasury/{name}")


UNFOLD = {
    "SITE_TITLE": "Treasury",
    "SITE_HEADER": "apps.portal.pages.branding.site_header",
    "SITE_SUBHEADER": "apps.portal.pages.branding.site_subheader",
    "SITE_SYMBOL": "account_balance",
    "SITE_ICON": "apps.portal.pages.branding.site_icon",
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": own("favicon.svg")}],
    "ENVIRONMENT": "apps.portal.pages.branding.environment",
    "ENVIRONMENT_TITLE_PREFIX": "apps.portal.pages.branding.environment_prefix",
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": False,
    "SHOW_LANGUAGES": True,
    "BORDER_RADIUS": "6px",
    "COLORS": "apps.portal.pages.branding.colors",
    "STYLES": [own("tokens.css"), own("treasury.css"), own("portal.css"), own("person.css")],
    "SCRIPTS": [own("treasury.js"), own("dialogs.js"), own("keys.js"), own("tree.js"), own("idle.js")],
    "LOGIN": {"image": own("login-image.svg"), "form": "apps.portal.forms.SignInForm"},
    "COMMAND": {"search_models": False, "show_history": False},
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": "apps.portal.pages.menu.navigation",
    },
    "TABS": [],
}
