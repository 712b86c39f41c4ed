"""Daraja's own HTTP, as Safaricom documents it: every call is logged, and a script may spoil it."""

import json

from apps.simulator.api import c2b, express, initiated, pulls, qr
from apps.simulator.api.calls import Call, Endpoints
from apps.simulator.contracts import AnswerKind, Request, Response
from apps.simulator.services import call_log, chaos, scripts
from apps.simulator.services.world import World

ENDPOINTS: Endpoints = {
    "/oauth/v1/generate": ("GET", express.oauth),
    "/mpesa/stkpush/v1/processrequest": ("POST", express.stk_push),
    "/mpesa/stkpushquery/v1/query": ("POST", express.stk_query),
    "/mpesa/transactionstatus/v1/query": ("POST", initiated.transaction_status),
    "/mpesa/reversal/v1/request": ("POST", initiated.reversal),
    "/mpesa/accountbalance/v1/query": ("POST", initiated.account_balance),
    "/mpesa/qrcode/v1/generate": ("POST", qr.generate),
    "/mpesa/c2b/v1/registerurl": ("POST", c2b.register_urls),
    "/mpesa/c2b/v2/registerurl": ("POST", c2b.register_urls),
    "/mpesa/c2b/v1/simulate": ("POST", c2b.simulate),
    "/mpesa/c2b/v2/simulate": ("POST", c2b.simulate),
    "/pulltransactions/v1/register": ("POST", pulls.register),
    "/pulltransactions/v1/query": ("POST", pulls.read),
}


def handle(*, world: World, request: Request) -> Response:
    """Answer one call of the Daraja face; `request.path` starts after the base path."""
    body = _json_object(request.body)
    with world.store.transaction() as tx:
        now = world.clock.now()
        script_id, actions = scripts.claim(tx=tx, path=request.path, method=request.method, body=body)
        if script_id is None:
            actions = chaos.draw(tx=tx, share=world.chaos)
        call = Call(tx=tx, request=request, body=body, actions=actions, now=now, endpoints=ENDPOINTS)
        response = call.answer()
        entry = {
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "headers": call_log.redacted(values=request.headers),
            "body": call_log.readable(body=request.body),
            "script": script_id,
            "chaos": actions if script_id is None else [],
            "status": response.status if response.kind in {AnswerKind.NORMAL, AnswerKind.SCRIPTED} else None,
            "answer": response.kind,
            "response": call_log.readable(body=response.body),
        }
        call_log.record(tx=tx, kind="call", entry=entry, now=now)
    world.has_changed.set()
    for callback in call.owed_first:
        world.deliver(callback)
    return response


def _json_object(body: bytes) -> dict[str, object]:
    try:
        content = json.loads(body)
    except ValueError:
        return {}  # Safaricom then finds the first field missing: "Invalid BusinessShortCode"
    return content if isinstance(content, dict) else {}
