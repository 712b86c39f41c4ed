"""The vault: wallets that their persons let a merchant charge again, by a token."""

from apps.simulator.paypal.contracts import Body, PayPalRefusal, Scope
from apps.simulator.paypal.services import events, ids, objects, payers

SETUP_EXPIRES_MS = 3 * 24 * 3_600_000


def begin(scope: Scope, *, customer: str, source: Body, places: Body) -> Body:
    """Ask a person to let their wallet be kept."""
    identifier = ids.draw(tx=scope.tx, kind="setup_token")
    body: Body = {
        "id": identifier,
        "customer": {"id": customer or ids.draw(tx=scope.tx, kind="customer")},
        "status": "PAYER_ACTION_REQUIRED",
        "payment_source": {"paypal": source},
        "links": [
            objects.link(scope, f"/v3/vault/setup-tokens/{identifier}", "self"),
            objects.link(scope, f"/agreements/approve?approval_session_id={identifier}", "approve"),
        ],
    }
    objects.add(
        scope, "setup_token", body, due_at=scope.now + SETUP_EXPIRES_MS, places=places, funding="balance"
    )
    return body


def approve(scope: Scope, setup: Body, *, funding: str = "balance", email: str = "") -> Body:
    """Let a person agree; ``funding`` is what their wallet pays with later. Raises PayPalRefusal where nobody is asked."""
    if setup["status"] != "PAYER_ACTION_REQUIRED":
        raise PayPalRefusal(422, "TOKEN_NOT_APPROVABLE", f"The setup token is {setup['status']}.")
    objects.note(scope, setup["id"], funding=funding)
    told = setup["payment_source"]["paypal"] | payers.source(email or payers.EMAIL)
    own = objects.link(scope, f"/v3/vault/setup-tokens/{setup['id']}", "self")
    confirm = objects.link(scope, "/v3/vault/payment-tokens", "confirm", "POST")
    changed = {"status": "APPROVED", "payment_source": {"paypal": told}, "links": [own, confirm]}
    return objects.save(scope, setup["id"], setup | changed)


def keep(scope: Scope, setup_id: str) -> Body:
    """Return a token for a wallet whose person has agreed; raise PayPalRefusal where they have not, or it has one."""
    setup = objects.find(scope, "setup_token", setup_id)
    if setup is None:
        raise PayPalRefusal(422, "TOKEN_NOT_FOUND", at="/payment_source/token/id", value=setup_id)
    if setup["status"] != "APPROVED":
        raise PayPalRefusal(422, "SETUP_TOKEN_NOT_APPROVED", at="/payment_source/token/id", value=setup_id)
    funding = objects.private(scope, setup_id)["funding"]
    source = setup["payment_source"]["paypal"]
    token = _add(scope, customer=setup["customer"]["id"], source=source, funding=funding)
    objects.wake(scope, setup_id, at=None)
    objects.save(scope, setup_id, setup | {"status": "VAULTED"})
    return token


def keep_of_order(scope: Scope, order: Body) -> Body | None:
    """Keep the wallet that has paid an order where the order asked for it, and return what the order tells of it."""
    held = objects.private(scope, order["id"])
    if held["keeps"].get("store_in_vault") != "ON_SUCCESS":
        return None
    customer = held["customer"] or ids.draw(tx=scope.tx, kind="customer")
    source = payers.source(held["email"])
    token = _add(scope, customer=customer, source=source, funding=held["funding"])
    return {"id": token["id"], "status": "VAULTED", "customer": {"id": customer}, "links": token["links"]}


def get(scope: Scope, identifier: str) -> Body:
    """Return a kept wallet for a payment, or refuse the payment."""
    token = objects.find(scope, "payment_token", identifier)
    if token is None:
        raise PayPalRefusal(422, "TOKEN_ID_NOT_FOUND", at="/payment_source/paypal/vault_id", value=identifier)
    return token


def funding(scope: Scope, token: Body) -> str:
    """Return what a kept wallet pays with."""
    return str(objects.private(scope, token["id"])["funding"])


def of_customer(scope: Scope, customer: str) -> list[Body]:
    """Return the kept wallets of a merchant's customer, newest first."""
    return [token for token in objects.newest(scope, "payment_token") if token["customer"]["id"] == customer]


def forget(scope: Scope, token: Body) -> None:
    """Let nobody charge the wallet any more."""
    events.tell(scope, "VAULT.PAYMENT-TOKEN.DELETED", token, summary="A payment token was deleted.")
    objects.remove(scope, token["id"])


def settle(scope: Scope, setup: Body) -> None:
    """End a question that nobody has answered."""
    objects.remove(scope, setup["id"])


def _add(scope: Scope, *, customer: str, source: Body, funding: str) -> Body:
    identifier = ids.draw(tx=scope.tx, kind="payment_token")
    own = f"/v3/vault/payment-tokens/{identifier}"
    body: Body = {
        "id": identifier,
        "customer": {"id": customer},
        "payment_source": {"paypal": source},
        "links": [objects.link(scope, own, "self"), objects.link(scope, own, "delete", "DELETE")],
    }
    objects.add(scope, "payment_token", body, funding=funding)
    events.tell(scope, "VAULT.PAYMENT-TOKEN.CREATED", body, summary="A payment token has been created.")
    return body
