"""The pages of the PayPal face for a person: approval of a payment, and of a wallet that a shop wants to keep."""

from urllib.parse import parse_qs

from apps.simulator.contracts import Request, Response
from apps.simulator.pages import rendering
from apps.simulator.paypal.pages import approval
from apps.simulator.paypal.services import people
from apps.simulator.services.world import World

PAGES = "/paypal/(?:checkoutnow|agreements/approve)$"
NAMED = {
    "/paypal/checkoutnow": ("order", "token"),
    "/paypal/agreements/approve": ("setup_token", "approval_session_id"),
}
"""What each page is about, and where its address names it."""


def handle(*, world: World, request: Request) -> Response:
    """Answer a browser; what a person does there is kept before the next page is shown."""
    kind, name = NAMED[request.path]
    origin = f"http://{request.headers.get('host', '127.0.0.1')}"
    form = {
        field: values[0].strip() for field, values in parse_qs(request.body.decode(errors="replace")).items()
    }
    try:
        with world.store.transaction() as tx:
            scope, body = people.find(
                tx=tx,
                now=world.clock.now(),
                kinds=(kind,),
                identifier=request.query.get(name, ""),
                origin=origin,
            )
            is_answer = request.method == "POST"
            response = approval.answer(scope, body, form) if is_answer else approval.show(scope, body, form)
    except people.Unknown:
        context = {"title": "Not found", "sentence": "There is no such page."}
        return rendering.page(template="missing.html", context=context, status=404)
    world.has_changed.set()
    return response
