"""Pull Transactions of the Daraja face: registering once, then reading page by page."""

from apps.simulator.api import fields
from apps.simulator.api.calls import Call, ok
from apps.simulator.contracts import Response
from apps.simulator.services import identifiers, payloads, pulls


def register(call: Call) -> Response:
    """Register a shortcode; a second time is answered with 1001."""
    consumer = call.consumer()
    body = call.body
    shortcode = fields.shortcode(body, "ShortCode", longest=7)
    fields.one_of(body, "RequestType", choices=("Pull",))
    number = fields.matching(body, "NominatedNumber", pattern=r"\+?[0-9]{9,12}")
    callback_url = fields.url(body, "CallBackURL")
    call.account(shortcode, consumer=consumer)
    is_new = pulls.register(
        tx=call.tx, shortcode=shortcode, nominated_number=number, callback_url=callback_url
    )
    return ok(
        {
            "ResponseRefID": identifiers.request(tx=call.tx),
            "ResponseStatus": "1000" if is_new else "1001",
            "ShortCode": shortcode,
            "ResponseDescription": (
                "ShortCode Registered Successfully" if is_new else "ShortCode already Registered"
            ),
        }
    )


def read(call: Call) -> Response:
    """Return the payments between two times, a page from an offset on; none is answered with 1001."""
    consumer = call.consumer()
    body = call.body
    shortcode = fields.shortcode(body, "ShortCode", longest=7)
    starts, ends = fields.wall_time(body, "StartDate"), fields.wall_time(body, "EndDate")
    if ends < starts:
        raise fields.invalid("EndDate")
    offset = int(fields.matching(body, "OffSetValue", pattern=r"[0-9]{1,9}"))
    account = call.account(shortcode, consumer=consumer)
    try:
        found = pulls.page(
            tx=call.tx, shortcode=shortcode, span=(starts, ends + 999), offset=offset, now=call.now
        )
    except pulls.NotRegistered as refusal:
        raise fields.invalid("ShortCode") from refusal
    plan = call.faults.plan
    rows = [
        payloads.pulled(row=row, business_name=account.name, is_bill=account.type == "paybill")
        for row in found
    ]
    shown = [{name: value for name, value in row.items() if name not in (plan.missing or ())} for row in rows]
    content: dict[str, object] = {
        "ResponseRefID": identifiers.request(tx=call.tx),
        "ResponseCode": "1000" if rows else "1001",
        "ResponseMessage": "Success" if rows else "No transactions found",
    }
    if plan.missing is not None:
        content["Response"] = shown if plan.is_single_object else [shown]
    return ok(content)
