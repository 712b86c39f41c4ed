"""Sources of exchange rates: a central bank's XML, another one's CSV, a provider's JSON; a script may spoil each answer."""

import json
from collections.abc import Callable
from datetime import date
from xml.sax.saxutils import quoteattr

from apps.simulator.api.calls import shown
from apps.simulator.contracts import AnswerKind, RateSheet, Request, Response
from apps.simulator.services import call_log, faults, rates, scripts
from apps.simulator.services.world import World

ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" '
    'xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">\n'
    "\t<gesmes:subject>Reference rates</gesmes:subject>\n"
    "\t<gesmes:Sender>\n\t\t<gesmes:name>European Central Bank</gesmes:name>\n\t</gesmes:Sender>\n"
    "\t<Cube>\n\t\t<Cube time={day}>\n{cubes}\t\t</Cube>\n\t</Cube>\n</gesmes:Envelope>\n"
)


def handle(*, world: World, request: Request) -> Response:
    """Answer one call; `request.path` starts after /rates."""
    with world.store.transaction() as tx:
        now = world.clock.now()
        script_id, actions = scripts.claim(
            tx=tx, path=request.path, method=request.method, body={}, face=scripts.RATES
        )
        response = Response(status=404, body=b"Not found", content_type="text/plain")
        source = request.path.removeprefix("/")
        if request.method == "GET" and source in SOURCES:
            content_type, write = SOURCES[source]
            sheet = rates.sheet(tx=tx, source=source, now=now)
            response = Response(body=write(sheet).encode(), content_type=content_type)
        response = shown(answer=faults.compose(actions=actions).answer, response=response)
        entry = {
            "method": request.method,
            "path": f"/rates{request.path}",
            "query": request.query,
            "headers": call_log.redacted(values=request.headers),
            "body": "",
            "script": script_id,
            "status": response.status if response.kind in {AnswerKind.NORMAL, AnswerKind.SCRIPTED} else None,
            "answer": response.kind,
            "response": call_log.readable(body=response.body),
        }
        call_log.record(tx=tx, kind="call", entry=entry, now=now)
    return response


def _xml(sheet: RateSheet) -> str:
    cubes = "".join(
        f"\t\t\t<Cube currency={quoteattr(currency)} rate={quoteattr(rate)}/>\n"
        for currency, rate in sheet.rates.items()
    )
    return ENVELOPE.format(day=quoteattr(sheet.day), cubes=cubes)


def _csv(sheet: RateSheet) -> str:
    day = date.fromisoformat(sheet.day).strftime("%d/%m/%Y")
    rows = [f'"{day}","{label}","{rate}","{rate}","{rate}"' for label, rate in sheet.rates.items()]
    return "\r\n".join(['"Date","Currency","Mean","Buy","Sell"', *rows, ""])


def _json(sheet: RateSheet) -> str:
    pairs = [(*pair.partition("/")[::2], rate) for pair, rate in sheet.rates.items()]
    quoted = [{"base": base, "quote": quote, "rate": rate} for base, quote, rate in pairs]
    return json.dumps({"as_of": f"{sheet.day}T00:00:00Z", "rates": quoted})


SOURCES: dict[str, tuple[str, Callable[[RateSheet], str]]] = {
    "ecb": ("application/xml", _xml),
    "cbk": ("text/csv", _csv),
    "quotes": ("application/json", _json),
}
