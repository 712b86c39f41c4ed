"""The Stripe face: which endpoint answers a call, the script that spoils it, and the record of it."""

from apps.simulator.contracts import AnswerKind, Request, Response
from apps.simulator.services import call_log, chaos, scripts
from apps.simulator.services.world import World
from apps.simulator.stripe.api import checkout, connect, customers, hooks, money, payments
from apps.simulator.stripe.api.calls import Call, Routes

ID = "([A-Za-z0-9_]+)"
ROUTES: Routes = (
    ("POST", "/v1/checkout/sessions", checkout.create),
    ("GET", "/v1/checkout/sessions", checkout.list_all),
    ("GET", f"/v1/checkout/sessions/{ID}", checkout.retrieve),
    ("GET", f"/v1/checkout/sessions/{ID}/line_items", checkout.list_lines),
    ("POST", f"/v1/checkout/sessions/{ID}/expire", checkout.expire),
    ("POST", "/v1/payment_intents", payments.create),
    ("GET", "/v1/payment_intents", payments.list_all),
    ("GET", f"/v1/payment_intents/{ID}", payments.retrieve),
    ("POST", f"/v1/payment_intents/{ID}", payments.update),
    ("POST", f"/v1/payment_intents/{ID}/confirm", payments.confirm),
    ("POST", f"/v1/payment_intents/{ID}/capture", payments.capture),
    ("POST", f"/v1/payment_intents/{ID}/cancel", payments.cancel),
    ("POST", "/v1/setup_intents", payments.create_setup),
    ("GET", "/v1/setup_intents", payments.list_setups),
    ("GET", f"/v1/setup_intents/{ID}", payments.retrieve_setup),
    ("POST", f"/v1/setup_intents/{ID}/confirm", payments.confirm_setup),
    ("POST", f"/v1/setup_intents/{ID}/cancel", payments.cancel_setup),
    ("GET", "/v1/charges", payments.list_charges),
    ("GET", f"/v1/charges/{ID}", payments.retrieve_charge),
    ("POST", "/v1/refunds", payments.create_refund),
    ("GET", "/v1/refunds", payments.list_refunds),
    ("GET", f"/v1/refunds/{ID}", payments.retrieve_refund),
    ("POST", "/v1/customers", customers.create),
    ("GET", "/v1/customers", customers.list_all),
    ("GET", f"/v1/customers/{ID}", customers.retrieve),
    ("POST", f"/v1/customers/{ID}", customers.update),
    ("DELETE", f"/v1/customers/{ID}", customers.remove),
    ("GET", f"/v1/customers/{ID}/payment_methods", customers.list_methods),
    ("POST", "/v1/payment_methods", customers.create_method),
    ("GET", "/v1/payment_methods", customers.list_unbound),
    ("GET", f"/v1/payment_methods/{ID}", customers.retrieve_method),
    ("POST", f"/v1/payment_methods/{ID}/attach", customers.attach_method),
    ("POST", f"/v1/payment_methods/{ID}/detach", customers.detach_method),
    ("GET", "/v1/balance", money.balance),
    ("GET", "/v1/balance_transactions", money.list_movements),
    ("GET", f"/v1/balance_transactions/{ID}", money.retrieve_movement),
    ("POST", "/v1/payouts", money.create_payout),
    ("GET", "/v1/payouts", money.list_payouts),
    ("GET", f"/v1/payouts/{ID}", money.retrieve_payout),
    ("GET", "/v1/disputes", money.list_disputes),
    ("GET", f"/v1/disputes/{ID}", money.retrieve_dispute),
    ("POST", f"/v1/disputes/{ID}", money.update_dispute),
    ("POST", f"/v1/disputes/{ID}/close", money.close_dispute),
    ("POST", "/v1/files", money.create_file),
    ("GET", f"/v1/files/{ID}", money.retrieve_file),
    ("POST", "/v1/webhook_endpoints", hooks.create),
    ("GET", "/v1/webhook_endpoints", hooks.list_all),
    ("GET", f"/v1/webhook_endpoints/{ID}", hooks.retrieve),
    ("POST", f"/v1/webhook_endpoints/{ID}", hooks.update),
    ("DELETE", f"/v1/webhook_endpoints/{ID}", hooks.remove),
    ("GET", "/v1/events", hooks.list_events),
    ("GET", f"/v1/events/{ID}", hooks.retrieve_event),
    ("GET", "/v1/account", connect.retrieve_own),
    ("POST", "/v1/accounts", connect.create_account),
    ("GET", "/v1/accounts", connect.list_accounts),
    ("GET", f"/v1/accounts/{ID}", connect.retrieve_account),
    ("POST", "/v1/account_links", connect.create_link),
    ("POST", "/v1/transfers", connect.create_transfer),
    ("GET", "/v1/transfers", connect.list_transfers),
    ("GET", f"/v1/transfers/{ID}", connect.retrieve_transfer),
    ("POST", f"/v1/transfers/{ID}", connect.update_transfer),
    ("POST", f"/v1/transfers/{ID}/reversals", connect.create_reversal),
    ("GET", f"/v1/transfers/{ID}/reversals", connect.list_reversals),
    ("GET", f"/v1/transfers/{ID}/reversals/{ID}", connect.retrieve_reversal),
)


def handle(*, world: World, request: Request) -> Response:
    """Answer one call of the Stripe face; `request.path` starts after /stripe."""
    with world.store.transaction() as tx:
        now = world.clock.now()
        call = Call(tx=tx, request=request, now=now, routes=ROUTES)
        script_id, actions = scripts.claim(
            tx=tx, path=request.path, method=request.method, body=dict(call.pairs), face=scripts.STRIPE
        )
        if script_id is None:
            actions = chaos.draw(tx=tx, share=world.chaos)
        response = call.answer(actions)
        entry = {
            "method": request.method,
            "path": f"/stripe{request.path}",
            "query": request.query,
            "headers": call_log.redacted(values=request.headers),
            "body": call_log.redacted(values=dict(call.pairs)),
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
