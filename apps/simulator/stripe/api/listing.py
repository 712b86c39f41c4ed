"""Lists: newest first, a page at a time, between two moments."""

from collections.abc import Callable

from apps.simulator.stripe.api.fields import Params
from apps.simulator.stripe.contracts import Body, StripeRefusal

PAGING = ("limit", "starting_after", "ending_before", "created", "expand")
LARGEST_PAGE = 100
SPANS: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda at, bound: at > bound,
    "gte": lambda at, bound: at >= bound,
    "lt": lambda at, bound: at < bound,
    "lte": lambda at, bound: at <= bound,
}


def page(found: list[Body], params: Params, *, url: str) -> Body:
    """Return the page of a list, newest first, that the parameters ask for."""
    limit = params.whole("limit")
    if limit is not None and not 1 <= limit <= LARGEST_PAGE:
        raise params.wrong("limit", f"Invalid integer: must be between 1 and {LARGEST_PAGE}", None)
    kept = [body for body in found if _is_within(body, params)]
    size = 10 if limit is None else limit
    after, before = params.text("starting_after"), params.text("ending_before")
    if after is not None:
        kept = kept[_place(kept, after, "starting_after") + 1 :]
        shown = kept[:size]
    elif before is not None:
        kept = kept[: _place(kept, before, "ending_before")]
        shown = kept[-size:]
    else:
        shown = kept[:size]
    return {"object": "list", "data": shown, "has_more": len(kept) > len(shown), "url": url}


def _place(kept: list[Body], identifier: str, param: str) -> int:
    for place, body in enumerate(kept):
        if body["id"] == identifier:
            return place
    raise StripeRefusal(400, f"No such object: '{identifier}'", code="resource_missing", param=param)


def _is_within(body: Body, params: Params) -> bool:
    created = params.values.get("created")
    if created is None:
        return True
    if isinstance(created, str):
        return body["created"] == params.whole("created")
    span = params.inner("created")
    span.only(*SPANS)
    return all(SPANS[name](body["created"], span.whole(name) or 0) for name in span.values)
