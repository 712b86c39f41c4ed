"""The PayPal face: which endpoint answers a call, the script that spoils it, and the record of it."""

from apps.simulator.contracts import AnswerKind, Request, Response
from apps.simulator.paypal.api import disputes, fields, hooks, orders, payments, reporting, vault
from apps.simulator.paypal.api.calls import Call, Routes
from apps.simulator.paypal.services import certificates
from apps.simulator.services import call_log, chaos, scripts
from apps.simulator.services.world import World

ID = "([A-Za-z0-9-]+)"
ROUTES: Routes = (
    ("POST", "/v2/checkout/orders", orders.create),
    ("GET", f"/v2/checkout/orders/{ID}", orders.retrieve),
    ("POST", f"/v2/checkout/orders/{ID}/capture", orders.capture),
    ("POST", f"/v2/checkout/orders/{ID}/authorize", orders.authorize),
    ("GET", f"/v2/payments/authorizations/{ID}", payments.retrieve_authorization),
    ("POST", f"/v2/payments/authorizations/{ID}/capture", payments.capture_authorization),
    ("POST", f"/v2/payments/authorizations/{ID}/void", payments.void),
    ("POST", f"/v2/payments/authorizations/{ID}/reauthorize", payments.reauthorize),
    ("GET", f"/v2/payments/captures/{ID}", payments.retrieve_capture),
    ("POST", f"/v2/payments/captures/{ID}/refund", payments.refund),
    ("GET", f"/v2/payments/refunds/{ID}", payments.retrieve_refund),
    ("POST", "/v1/notifications/webhooks", hooks.create),
    ("GET", "/v1/notifications/webhooks", hooks.list_all),
    ("GET", f"/v1/notifications/webhooks/{ID}", hooks.retrieve),
    ("PATCH", f"/v1/notifications/webhooks/{ID}", hooks.update),
    ("DELETE", f"/v1/notifications/webhooks/{ID}", hooks.remove),
    ("GET", "/v1/notifications/webhooks-events", hooks.list_events),
    ("GET", f"/v1/notifications/webhooks-events/{ID}", hooks.retrieve_event),
    ("POST", f"/v1/notifications/webhooks-events/{ID}/resend", hooks.resend),
    ("POST", "/v1/notifications/verify-webhook-signature", hooks.verify),
    ("POST", "/v3/vault/setup-tokens", vault.begin),
    ("GET", f"/v3/vault/setup-tokens/{ID}", vault.retrieve_setup),
    ("POST", "/v3/vault/payment-tokens", vault.keep),
    ("GET", "/v3/vault/payment-tokens", vault.list_all),
    ("GET", f"/v3/vault/payment-tokens/{ID}", vault.retrieve),
    ("DELETE", f"/v3/vault/payment-tokens/{ID}", vault.remove),
    ("GET", "/v1/customer/disputes", disputes.list_all),
    ("GET", f"/v1/customer/disputes/{ID}", disputes.retrieve),
    ("POST", f"/v1/customer/disputes/{ID}/provide-evidence", disputes.provide_evidence),
    ("POST", f"/v1/customer/disputes/{ID}/accept-claim", disputes.accept_claim),
    ("POST", f"/v1/customer/disputes/{ID}/appeal", disputes.appeal),
    ("GET", "/v1/reporting/transactions", reporting.transactions),
    ("GET", "/v1/reporting/balances", reporting.balances),
)


def handle(*, world: World, request: Request) -> Response:
    """Answer one call of the PayPal face; `request.path` starts after /paypal. Its certificates are for anybody."""
    with world.store.transaction() as tx:
        if request.path == certificates.PATH:
            return Response(body=certificates.chain(tx=tx).encode(), content_type="application/x-pem-file")
        now = world.clock.now()
        call = Call(tx=tx, request=request, now=now, routes=ROUTES)
        told = fields.flat(request.body)
        script_id, actions = scripts.claim(
            tx=tx, path=request.path, method=request.method, body=told, face=scripts.PAYPAL
        )
        if script_id is None:
            actions = chaos.draw(tx=tx, share=world.chaos)
        response = call.answer(actions)
        entry = {
            "method": request.method,
            "path": f"/paypal{request.path}",
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
