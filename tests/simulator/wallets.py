"""A shop with a simulated PayPal account: a plain HTTP client, and an inbox that checks signatures as PayPal's pages say."""

import base64
import json
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from apps.simulator import server
from tests.loopback import NO_TLS
from tests.simulator.conftest import eventually

ACCOUNT = "SAVANNA00USD1"
WEBHOOK = "0EH40505U7160970P"
CLIENT, SECRET = "client-of-savanna", "secret-of-savanna"
UNIT = {
    "reference_id": "ATTEMPT-1",
    "custom_id": "ATTEMPT-1",
    "invoice_id": "INV-1-A1",
    "description": "Lunch",
    "amount": {"currency_code": "USD", "value": "25.00"},
}
PLACES = {"return_url": "https://shop.example/thanks?order=1", "cancel_url": "https://shop.example/basket"}


@dataclass
class Postbox:
    """Where webhooks come, with the headers that sign them."""

    url: str = ""
    status: int = 200
    came: list[tuple[Message, bytes]] = field(default_factory=list)

    def events(self) -> list[dict[str, Any]]:
        """Return what came."""
        return [json.loads(body) for _, body in self.came]

    def types(self) -> list[str]:
        """Return the kinds of what came, in alphabetical order: PayPal promises none."""
        return sorted(event["event_type"] for event in self.events())


@dataclass
class Wallets:
    """Calls the simulator as a shop does, and lets persons and PayPal act by the control interface."""

    url: str
    postbox: Postbox
    token: str = ""
    numbers: int = 0

    def __post_init__(self) -> None:
        """Open one HTTP client that ignores the machine's proxies."""
        self.http = httpx.Client(base_url=self.url, trust_env=False, timeout=10, verify=NO_TLS)

    def open(self, **changes: object) -> None:
        """Open the account, or change it, and fetch a token."""
        hook = {"url": f"{self.postbox.url}/hooks/webhook", "id": WEBHOOK}
        body = {
            "name": "Savanna Kitchens",
            "client_id": CLIENT,
            "client_secret": SECRET,
            "webhooks": [hook],
            **changes,
        }
        answer = self.http.put(f"/__control/accounts/{ACCOUNT}", json=body)
        assert answer.status_code == 200, answer.text
        self.token = self.enter().json()["access_token"]

    def enter(self, secret: str = SECRET) -> httpx.Response:
        """Ask for a token."""
        form = {"grant_type": "client_credentials"}
        return self.http.post("/paypal/v1/oauth2/token", data=form, auth=(CLIENT, secret))

    def call(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """Call the API, wanting to be told everything."""
        sent = {"Authorization": f"Bearer {self.token}", "Prefer": "return=representation"} | headers
        return self.http.request(method, f"/paypal{path}", json=body, headers=sent)

    def key(self) -> str:
        """Return a PayPal-Request-Id that was not used yet."""
        self.numbers += 1
        return f"KEY-{self.numbers}"

    def post(self, path: str, body: object = None, *, key: str = "", **headers: str) -> httpx.Response:
        """Call the API to change something."""
        return self.call("POST", path, body or {}, **{"PayPal-Request-Id": key or self.key(), **headers})

    def read(self, path: str) -> dict[str, Any]:
        """Return what there is at a path."""
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def draft(
        self, *, intent: str = "CAPTURE", source: object = None, **changes: object
    ) -> dict[str, object]:
        """Return the body of an order."""
        wallet = {"experience_context": PLACES} if source is None else source
        return {"intent": intent, "purchase_units": [UNIT | changes], "payment_source": {"paypal": wallet}}

    def order(self, **changes: Any) -> dict[str, Any]:
        """Open an order."""
        answer = self.post("/v2/checkout/orders", self.draft(**changes))
        assert answer.status_code == 201, answer.text
        return answer.json()

    def approved(self, funding: str = "balance", **changes: Any) -> dict[str, Any]:
        """Return an order that its person has agreed to."""
        answer = self.act("orders", self.order(**changes)["id"], "approve", funding=funding)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def paid(self, funding: str = "balance", **changes: Any) -> dict[str, Any]:
        """Return the capture of an order that was paid."""
        order = self.approved(funding, **changes)
        answer = self.post(f"/v2/checkout/orders/{order['id']}/capture")
        assert answer.status_code == 201, answer.text
        return answer.json()["purchase_units"][0]["payments"]["captures"][0]

    def control(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Call the control interface."""
        return self.http.request(method, f"/__control{path}", json=body)

    def act(self, kind: str, identifier: str, deed: str, **given: object) -> httpx.Response:
        """Let a person or PayPal do something."""
        return self.control("POST", f"/paypal/{kind}/{identifier}/{deed}", given)

    def tick(self, seconds: int) -> None:
        """Let virtual time pass."""
        assert self.control("POST", "/tick", {"seconds": seconds}).status_code == 200

    def script(self, *actions: object, path: str = "/v2/checkout/orders", **match: object) -> None:
        """Add a fault script that fires once."""
        body = {"match": {"face": "paypal", "path": path, **match}, "actions": list(actions)}
        answer = self.control("POST", "/scripts", body)
        assert answer.status_code == 201, answer.text

    def told(self, *types: str) -> list[dict[str, Any]]:
        """Return the webhooks of these kinds, once there is one of each."""
        eventually(lambda: set(types) <= set(self.postbox.types()))
        return [event for event in self.postbox.events() if event["event_type"] in types]

    def is_genuine(self, headers: Message, body: bytes, *, webhook: str = WEBHOOK) -> bool:
        """Check a signature offline: the certificate against the pinned root, then the message against the certificate."""
        served = self.http.get(headers["PAYPAL-CERT-URL"]).content
        signer, _ = x509.load_pem_x509_certificates(served)
        root = x509.load_pem_x509_certificate(self.control("GET", "/paypal/certificate").content)
        signer.verify_directly_issued_by(root)
        names = (headers["PAYPAL-TRANSMISSION-ID"], headers["PAYPAL-TRANSMISSION-TIME"], webhook)
        message = "|".join([*names, str(zlib.crc32(body))]).encode()
        key, given = signer.public_key(), base64.b64decode(headers["PAYPAL-TRANSMISSION-SIG"])
        assert isinstance(key, rsa.RSAPublicKey)
        try:
            key.verify(given, message, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return headers["PAYPAL-AUTH-ALGO"] == "SHA256withRSA"

    def statement(self) -> dict[str, Any]:
        """Return the ground truth."""
        return self.control("GET", f"/statement?shortcode={ACCOUNT}").json()


def issue(answer: httpx.Response) -> tuple[int, str]:
    """Return status and issue of a refusal."""
    return answer.status_code, answer.json()["details"][0]["issue"]


@contextmanager
def postbox() -> Iterator[Postbox]:
    """Listen for webhooks."""
    kept = Postbox()

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.came.append((self.headers, body))
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
def wallets(running: server.Running) -> Iterator[Wallets]:
    """Return a shop whose account is open."""
    with postbox() as kept:
        made = Wallets(url=running.url, postbox=kept)
        made.open()
        yield made
        made.http.close()
