"""The hosted pages of the Stripe face: checkout, the challenge of a bank, and the owner of a connected account."""

import re
from urllib.parse import parse_qs

from apps.simulator.contracts import Request, Response
from apps.simulator.pages import rendering
from apps.simulator.services.world import World
from apps.simulator.stripe.pages import challenge, checkout, onboarding
from apps.simulator.stripe.services import people

PAGES = "/stripe/(?:pay|challenge|onboard)/"
VIEWS = (
    (r"/stripe/pay/(cs_[A-Za-z0-9_]+)", ("checkout.session",), checkout.show, checkout.pay),
    (
        r"/stripe/challenge/((?:pi|seti)_[A-Za-z0-9_]+)",
        ("payment_intent", "setup_intent"),
        challenge.show,
        challenge.answer,
    ),
    (
        r"/stripe/onboard/(acct_[A-Za-z0-9_]+)/(?P<link>[A-Za-z0-9]+)",
        ("account",),
        onboarding.show,
        onboarding.answer,
    ),
)


def handle(*, world: World, request: Request) -> Response:
    """Answer a browser; what a person does there is kept before the next page is shown."""
    origin = f"http://{request.headers.get('host', '127.0.0.1')}"
    form = {
        name: values[0].strip() for name, values in parse_qs(request.body.decode(errors="replace")).items()
    }
    for pattern, kinds, show, act in VIEWS:
        found = re.fullmatch(pattern, request.path)
        if found is None:
            continue
        try:
            with world.store.transaction() as tx:
                scope, body = people.find(
                    tx=tx, now=world.clock.now(), kinds=kinds, identifier=found[1], origin=origin
                )
                named = found.groupdict()
                response = (
                    act(scope, body, form | named)
                    if request.method == "POST"
                    else show(scope, body, {**request.query, **named})
                )
        except people.Unknown:
            break
        world.has_changed.set()
        return response
    context = {"title": "Not found", "sentence": "There is no such page."}
    return rendering.page(template="missing.html", context=context, status=404)
