"""A simulator on a port of its own, a business that calls it over HTTP, and an inbox for its callbacks."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from apps.simulator import server
from tests.loopback import NO_TLS

STAMP = "20260115093000"
ACCOUNT = {
    "type": "paybill",
    "name": "Savanna Kitchens Ltd",
    "consumer_key": "key-of-savanna",
    "consumer_secret": "secret-of-savanna",
    "passkey": "passkey-of-savanna",
    "initiator": "savanna-api",
    "initiator_password": "Initiator-1",
    "charge_bps": 55,
}


@dataclass
class Inbox:
    """A business's callback address, which keeps what arrives and answers as told."""

    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    answers: dict[str, object] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)

    def at(self, ending: str) -> list[dict[str, Any]]:
        """Return the bodies that came to addresses which end so."""
        return [
            body for path, body in zip(self.paths, self.bodies, strict=False) if path.endswith(f"/{ending}")
        ]

    def results(self) -> list[object]:
        """Return the ResultCode of each STK callback."""
        return [body["Body"]["stkCallback"]["ResultCode"] for body in self.bodies]

    def result_of(self, conversation: str) -> dict[str, Any]:
        """Return the result that belongs to a conversation once it is there."""
        eventually(lambda: conversation in [body["Result"]["ConversationID"] for body in self.bodies])
        return next(
            body["Result"] for body in self.bodies if body["Result"]["ConversationID"] == conversation
        )

    def wait(self, count: int, *, seconds: float = 5) -> list[dict[str, Any]]:
        """Return the bodies once there are as many, and fail if they do not come."""
        eventually(lambda: len(self.bodies) >= count, seconds=seconds)
        return self.bodies


@dataclass
class Business:
    """Calls the simulator as a merchant's system would, with only what Safaricom's pages tell."""

    url: str
    inbox: Inbox
    shortcode: str = "600100"
    account: dict[str, Any] = field(default_factory=lambda: dict(ACCOUNT))
    token: str = ""

    def __post_init__(self) -> None:
        """Open one HTTP client that ignores the machine's proxies."""
        self.http = httpx.Client(base_url=self.url, trust_env=False, timeout=10, verify=NO_TLS)

    def register(self) -> None:
        """Open the account and fetch a token."""
        assert self.http.put(f"/__control/accounts/{self.shortcode}", json=self.account).status_code == 200
        self.refresh()

    def refresh(self) -> None:
        """Fetch a new token."""
        pair = (self.account["consumer_key"], self.account["consumer_secret"])
        answer = self.http.get(
            "/daraja/oauth/v1/generate", params={"grant_type": "client_credentials"}, auth=pair
        )
        self.token = answer.json()["access_token"]

    def secured(self) -> dict[str, str]:
        """Return the fields that prove who asks."""
        password = f"{self.shortcode}{self.account['passkey']}{STAMP}"
        return {
            "BusinessShortCode": self.shortcode,
            "Password": base64.b64encode(password.encode()).decode(),
            "Timestamp": STAMP,
        }

    def order(self, **changes: object) -> dict[str, object]:
        """Return the body of an STK push."""
        phone = changes.pop("phone", "254712345678")
        return {
            **self.secured(),
            "TransactionType": "CustomerPayBillOnline",
            "Amount": 1500,
            "PartyA": phone,
            "PartyB": self.shortcode,
            "PhoneNumber": phone,
            "CallBackURL": f"{self.inbox.url}/hooks/3f/9c/stk",
            "AccountReference": "ORD-2041",
            "TransactionDesc": "Lunch",
            **changes,
        }

    def post(
        self, path: str, body: object, *, timeout: float = 10, token: str | None = None
    ) -> httpx.Response:
        """Call a Daraja endpoint with the bearer token."""
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        return self.http.post(f"/daraja{path}", json=body, headers=headers, timeout=timeout)

    def push(self, *, timeout: float = 10, **changes: object) -> httpx.Response:
        """Ask for a payment."""
        return self.post("/mpesa/stkpush/v1/processrequest", self.order(**changes), timeout=timeout)

    def pushed(self, **changes: object) -> str:
        """Ask for a payment that is accepted, and return its CheckoutRequestID."""
        answer = self.push(**changes)
        assert answer.status_code == 200, answer.text
        return answer.json()["CheckoutRequestID"]

    def register_urls(self, *, version: str = "v2", **changes: object) -> httpx.Response:
        """Say where payments that come unasked are told."""
        body = {
            "ShortCode": self.shortcode,
            "ResponseType": "Completed",
            "ConfirmationURL": f"{self.inbox.url}/hooks/3f/9c/c2b",
            "ValidationURL": f"{self.inbox.url}/hooks/3f/9c/check",
            **changes,
        }
        return self.post(f"/mpesa/c2b/{version}/registerurl", body)

    def pay(self, **changes: object) -> dict[str, Any]:
        """Let a person pay unasked, and return what became of it at first."""
        body = {
            "shortcode": self.shortcode,
            "msisdn": "254712345678",
            "amount": "500.00",
            "reference": "INV-7",
            **changes,
        }
        answer = self.control("POST", "/payments", body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def payments(self) -> list[dict[str, Any]]:
        """Return what people paid unasked, newest first."""
        return self.control("GET", "/payments").json()["payments"]

    def query(self, checkout: str) -> httpx.Response:
        """Ask how a prompt ended."""
        return self.post("/mpesa/stkpushquery/v1/query", {**self.secured(), "CheckoutRequestID": checkout})

    def control(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Call the control interface."""
        return self.http.request(method, f"/__control{path}", json=body)

    def tick(self, seconds: int) -> None:
        """Let virtual time pass."""
        assert self.control("POST", "/tick", {"seconds": seconds}).status_code == 200

    def script(self, *actions: object, times: int | None = 1, **match: object) -> None:
        """Add a fault script for the STK push, or for the path in `match`."""
        match = {"path": "/mpesa/stkpush/v1/processrequest"} | match
        body = {"match": match, "times": times, "actions": list(actions)}
        answer = self.control("POST", "/scripts", body)
        assert answer.status_code == 201, answer.text

    def decide(self, checkout: str, decision: str) -> httpx.Response:
        """Answer a prompt through the control interface."""
        return self.control("POST", f"/prompts/{checkout}/{decision}")

    def prompts(self) -> list[dict[str, Any]]:
        """Return all prompts, newest first."""
        return self.control("GET", "/prompts").json()["prompts"]

    def statement(self) -> dict[str, Any]:
        """Return the statement."""
        return self.control("GET", f"/statement?shortcode={self.shortcode}").json()

    def log(self, kind: str) -> list[dict[str, Any]]:
        """Return the logged calls or callbacks."""
        return [entry for entry in self.control("GET", "/log").json()["entries"] if entry["kind"] == kind]


def eventually(is_true: Callable[[], object], *, seconds: float = 5) -> None:
    """Wait until it is true, and fail when it does not become so."""
    until = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture(name="eventually")
def _eventually() -> Callable[..., None]:
    return eventually


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """Listen for callbacks."""
    kept = Inbox()

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            kept.paths.append(self.path)
            kept.bodies.append(body)
            answer = kept.answers.get(
                self.path.rpartition("/")[2], {"ResultCode": 0, "ResultDesc": "Accepted"}
            )
            self.send_response(kept.status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: object) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Keep)
    kept.url = f"http://127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield kept
    listener.shutdown()
    listener.server_close()


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    """Name the file of the simulator's memory."""
    return tmp_path / "simulator.sqlite3"


@pytest.fixture
def simulator(store_path: Path) -> Iterator[server.Running]:
    """Start a simulator on a free port."""
    running = server.serve(host="127.0.0.1", port=0, store_path=store_path, seed=7)
    yield running
    running.close()


@pytest.fixture
def business(simulator: server.Running, inbox: Inbox) -> Iterator[Business]:
    """Return a registered business."""
    caller = Business(url=simulator.url, inbox=inbox)
    caller.register()
    yield caller
    caller.http.close()


@pytest.fixture
def caller_of(inbox: Inbox) -> Iterator[Callable[[str], Business]]:
    """Return a maker of businesses for a simulator that the test starts itself."""
    made: list[Business] = []

    def make(url: str) -> Business:
        made.append(Business(url=url, inbox=inbox))
        return made[-1]

    yield make
    for caller in made:
        caller.http.close()
