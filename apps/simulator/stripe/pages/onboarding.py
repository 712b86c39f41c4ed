"""The page on which the owner of a connected account tells Stripe what it asks."""

from collections.abc import Mapping

from apps.simulator.contracts import Response
from apps.simulator.pages import rendering
from apps.simulator.services.clock import moment
from apps.simulator.stripe.contracts import Body, Scope
from apps.simulator.stripe.services import connected, objects

DEEDS = {"finish": connected.finish, "restrict": connected.restrict}


def show(scope: Scope, account: Body, query: Mapping[str, str]) -> Response:
    """Ask for the owner's papers, of which none are needed here; a link that is used up or too old asks for a new one."""
    if not _is_good(scope, account, query["link"]):
        return _away(scope, account, "refresh_url")
    context = {
        "title": "Get paid",
        "clock": moment(at=scope.now).strftime("%H:%M"),
        "shop": scope.account.name,
        "account": account["id"],
        "email": account["email"] or "",
        "asked": account["requirements"]["currently_due"],
    }
    return rendering.page(template="stripe/onboard.html", context=context)


def answer(scope: Scope, account: Body, form: Mapping[str, str]) -> Response:
    """Take the pressed button, where none is named everything is told, and go back to the platform."""
    if not _is_good(scope, account, form["link"]):
        return _away(scope, account, "refresh_url")
    objects.note(scope, account["id"], link="")
    if "later" not in form and not connected.is_closed(account):
        DEEDS["restrict" if "restrict" in form else "finish"](scope, account)
    return _away(scope, account, "return_url")


def _is_good(scope: Scope, account: Body, link: str) -> bool:
    held = objects.private(scope, account["id"])
    return bool(link) and held.get("link") == link and scope.seconds < held["link_until"]


def _away(scope: Scope, account: Body, where: str) -> Response:
    return rendering.redirect(to=objects.private(scope, account["id"]).get(where) or "/")
