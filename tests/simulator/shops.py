"""A shop with a simulated Stripe account: the official SDK as its client, and an inbox for its signed webhooks."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import stripe

from apps.simulator import server
from tests.loopback import NO_TLS
from tests.simulator.conftest import eventually

ACCOUNT = "acct_1Savanna"
SECRET = "whsec_of_savanna"
PAGE = {
    "mode": "payment",
    "line_items": [
        {
            "price_data": {"currency": "usd", "unit_amount": 2_500, "product_data": {"name": "Lunch"}},
            "quantity": 1,
        }
    ],
    "success_url": "https://shop.example/thanks",
    "cancel_url": "https://shop.example/basket",
    "client_reference_id": "ATTEMPT-1",
    "metadata": {"code": "ATTEMPT-1"},
    "payment_intent_data": {"metadata": {"code": "ATTEMPT-1"}},
}


@dataclass
class Mailbox:
    """Where webhooks come, with what signs them."""

    url: str = ""
    status: int = 200
    came: list[tuple[str, bytes]] = field(default_factory=list)

    def events(self) -> list[stripe.Event]:
        """Return what came, each checked by the official SDK."""
        return [stripe.Webhook.construct_event(body, signature, SECRET) for signature, body in self.came]

    def types(self) -> list[str]:
        """Return the kinds of what came, in alphabetical order: Stripe promises none."""
        return sorted(event.type for event in self.events())


@dataclass
class Shop:
    """Calls the simulator with the official SDK, and lets persons and banks act by the control interface."""

    url: str
    mailbox: Mailbox

    def __post_init__(self) -> None:
        """Open clients that ignore the machine's proxies."""
        self.http = httpx.Client(base_url=self.url, trust_env=False, timeout=10, verify=NO_TLS)
        self.api = self.client()

    def client(self, key: str = "sk_test_savanna", **options: Any) -> Any:
        """Return the services of the SDK for a key."""
        client = stripe.StripeClient(
            key, base_addresses={"api": f"{self.url}/stripe"}, max_network_retries=0, **options
        )
        return client.v1

    def open(self, **changes: object) -> None:
        """Open the account, or change it."""
        body = {
            "name": "Savanna Kitchens",
            "secret_key": "sk_test_savanna",
            "webhooks": [{"url": f"{self.mailbox.url}/hooks/webhook", "secret": SECRET}],
            **changes,
        }
        answer = self.http.put(f"/__control/accounts/{ACCOUNT}", json=body)
        assert answer.status_code == 200, answer.text

    def control(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Call the control interface."""
        return self.http.request(method, f"/__control{path}", json=body)

    def act(self, kind: str, identifier: str, deed: str, **given: object) -> httpx.Response:
        """Let a person or a bank do something."""
        return self.control("POST", f"/stripe/{kind}/{identifier}/{deed}", given)

    def tick(self, seconds: int) -> None:
        """Let virtual time pass."""
        assert self.control("POST", "/tick", {"seconds": seconds}).status_code == 200

    def script(self, *actions: object, path: str = "/v1/checkout/sessions", **match: object) -> None:
        """Add a fault script that fires once."""
        body = {"match": {"face": "stripe", "path": path, **match}, "actions": list(actions)}
        answer = self.control("POST", "/scripts", body)
        assert answer.status_code == 201, answer.text

    def page(self, key: str = "", **changes: object) -> Any:
        """Open a checkout session."""
        options = {"idempotency_key": key} if key else None
        return self.api.checkout.sessions.create({**PAGE, **changes}, options)

    def paid(self, card: str = "4242424242424242", **changes: object) -> Any:
        """Return a session that was paid, with its intent and charge."""
        session = self.page(**changes)
        answer = self.act("sessions", session.id, "pay", card=card)
        assert answer.status_code == 200, answer.text
        return self.read(session.id)

    def read(self, session: str) -> Any:
        """Return a session with all that hangs on it."""
        expand = ["payment_intent.latest_charge.balance_transaction"]
        return self.api.checkout.sessions.retrieve(session, {"expand": expand})

    def told(self, *types: str) -> list[stripe.Event]:
        """Return the webhooks of these kinds, once there is one of each."""
        eventually(lambda: set(types) <= set(self.mailbox.types()))
        return [event for event in self.mailbox.events() if event.type in types]

    def statement(self) -> dict[str, Any]:
        """Return the ground truth."""
        return self.control("GET", f"/statement?shortcode={ACCOUNT}").json()


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """Listen for webhooks."""
    kept = Mailbox()

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.came.append((self.headers["Stripe-Signature"], body))
            self.send_response(kept.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Keep)
    kept.url = f"http://127.0.0.1:{listener.server_port}"
    threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True).start()
    yield kept
    listener.shutdown()
    listener.server_close()


@contextmanager
def shop(running: server.Running) -> Iterator[Shop]:
    """Return a shop whose account is open."""
    with mailbox() as kept:
        made = Shop(url=running.url, mailbox=kept)
        made.open()
        yield made
        made.http.close()
