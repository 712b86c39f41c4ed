"""The page on which the owner of a connected account is seen by Stripe."""

from collections.abc import Mapping

from apps.simulator.contracts import Response
from apps.simulator.pages import rendering
from apps.simulator.services.clock import moment
from apps.simulator.stripe.contracts import Body, Scope
from apps.simulator.stripe.services import connected, objects


def show(scope: Scope, account: Body, _: Mapping[str, str]) -> Response:
    """Ask for the owner's papers, of which none are needed here."""
    context = {
        "title": "Get paid",
        "clock": moment(at=scope.now).strftime("%H:%M"),
        "shop": scope.account.name,
        "account": account["id"],
    }
    return rendering.page(template="stripe/onboard.html", context=context)


def complete(scope: Scope, account: Body, _: Mapping[str, str]) -> Response:
    """Let the account be paid from now on, and go back to the platform."""
    connected.see(scope, account)
    return rendering.redirect(to=objects.private(scope, account["id"])["return_url"] or "/")
