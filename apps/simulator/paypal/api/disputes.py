"""Endpoints of disputes: a merchant reads them, is heard, gives in, or appeals."""

from typing import TYPE_CHECKING

from apps.simulator.api import multipart
from apps.simulator.paypal.api import fields
from apps.simulator.paypal.contracts import Body, PayPalRefusal, Reply
from apps.simulator.paypal.services import disputes, objects

if TYPE_CHECKING:
    from apps.simulator.paypal.api.calls import Call

LARGEST_PAGE = 50
MOST_EVIDENCES = 100
LONGEST_NOTES = 2_000
FILE_MARKS = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8")
"""How the kinds of files begin that prove something."""
SUMMARY = (
    "dispute_id",
    "create_time",
    "update_time",
    "reason",
    "status",
    "dispute_state",
    "dispute_amount",
    "dispute_life_cycle_stage",
    "dispute_channel",
    "seller_response_due_date",
    "links",
)
"""What a list tells of each dispute."""
TIMES = {
    "start_time": ("create_time", 1),
    "update_time_after": ("update_time", 1),
    "update_time_before": ("update_time", -1),
}
"""Which time of a dispute a parameter limits, from below or from above."""


def list_all(call: "Call") -> Reply:
    """List disputes, newest first, a page at a time; a dispute is told in short."""
    query = call.request.query
    size, offset = query.get("page_size", "10"), query.get("next_page_token", "0")
    if not size.isdecimal() or not 1 <= int(size) <= LARGEST_PAGE or not offset.isdecimal():
        raise PayPalRefusal(400, "INVALID_PARAMETER_VALUE", at="page_size", value=size)
    found = [dispute for dispute in objects.newest(call.scope, "dispute") if _is_wanted(call, dispute)]
    page = found[int(offset) : int(offset) + int(size)]
    rest = int(offset) + int(size)
    links = [objects.link(call.scope, "/v1/customer/disputes", "self")]
    if rest < len(found):
        path = f"/v1/customer/disputes?page_size={size}&next_page_token={rest}"
        links.append(objects.link(call.scope, path, "next"))
    items = [{name: dispute[name] for name in SUMMARY if name in dispute} for dispute in page]
    return Reply(200, {"items": items, "links": links})


def retrieve(call: "Call", identifier: str) -> Reply:
    """Return a dispute."""
    return Reply(200, objects.get(call.scope, "dispute", identifier))


def provide_evidence(call: "Call", identifier: str) -> Reply:
    """Keep what proves the merchant right: a part ``input`` that says what it is, and files."""
    dispute = objects.get(call.scope, "dispute", identifier)
    disputes.answer(call.scope, dispute, evidences=_evidences(call))
    return _done(call, identifier)


def appeal(call: "Call", identifier: str) -> Reply:
    """Have PayPal look again at what it decided for the payer, in the form of evidence."""
    dispute = objects.get(call.scope, "dispute", identifier)
    disputes.appeal(call.scope, dispute, evidences=_evidences(call))
    return _done(call, identifier)


def _evidences(call: "Call") -> list[Body]:
    told = multipart.parts(call.request)
    documents = [{"name": part.filename} for part in told if part.filename and _is_file(part.content)]
    if sum(bool(part.filename) for part in told) > len(documents):
        raise PayPalRefusal(400, "INVALID_FILE_FORMAT", "A file is a JPG, a GIF, a PNG or a PDF.")
    given = next((part.content for part in told if part.name == "input"), call.request.body)
    return [
        _evidence(evidence, documents)
        for evidence in fields.read(given).items("evidences", most=MOST_EVIDENCES)
    ]


def accept_claim(call: "Call", identifier: str) -> Reply:
    """Give in: the payer gets the money."""
    disputes.accept(call.scope, objects.get(call.scope, "dispute", identifier))
    return _done(call, identifier)


def _done(call: "Call", identifier: str) -> Reply:
    links = [objects.link(call.scope, f"/v1/customer/disputes/{identifier}", "self")]
    return Reply(200, {"links": links}, made=identifier)


def _evidence(given: fields.Fields, documents: list[Body]) -> Body:
    told = {"evidence_type": given.text("evidence_type", longest=255, is_required=True)}
    notes = given.text("notes", longest=LONGEST_NOTES)
    info = given.inner("evidence_info").values
    return {
        **told,
        **({"notes": notes} if notes else {}),
        **({"evidence_info": info} if info else {}),
        **({"documents": documents} if documents else {}),
    }


def _is_file(content: bytes) -> bool:
    return content.startswith(FILE_MARKS)


def _is_wanted(call: "Call", dispute: Body) -> bool:
    query = call.request.query
    for name, (field, sign) in TIMES.items():
        if name in query and sign * (objects.moment(dispute[field]) - objects.moment(query[name])) < 0:
            return False
    wanted = query.get("disputed_transaction_id")
    states = query.get("dispute_state", "").split(",")
    is_about = wanted in {None, dispute["disputed_transactions"][0]["seller_transaction_id"]}
    return is_about and (states == [""] or dispute["dispute_state"] in states)
