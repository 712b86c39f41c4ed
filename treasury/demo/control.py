"""The control interface of the simulator, over HTTP: accounts, time, fault scripts, callbacks, statements."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from apps.kit import http

OK = range(200, 300)


class SimulatorRefused(RuntimeError):
    """The simulator did not do as it was told; its answer is in the message."""


@dataclass(frozen=True, slots=True)
class Callback:
    """A callback that the simulator would have sent."""

    url: str
    body: bytes
    headers: Mapping[str, str]

    @property
    def token(self) -> str:
        return self.url.rsplit("/", 2)[1]

    @property
    def kind(self) -> str:
        return self.url.rsplit("/", 1)[1]


def certificate() -> str:
    """Return the certificate for security credentials, in PEM."""
    return _call("GET", "/certificate").decode()


def open_account(short_code: str, account: Mapping[str, object]) -> None:
    """Open an account, or give one that is there other secrets; its balance stays."""
    _call("PUT", f"/accounts/{short_code}", account)


def forget_everything() -> None:
    """Begin with an empty simulator, in the computer's time."""
    _call("POST", "/reset", {"accounts": True})


def stopped_at() -> datetime | None:
    """Return the instant at which the simulator's time stands still, or None while it goes on."""
    state = json.loads(_call("GET", "/state"))
    return datetime.fromisoformat(state["now"]) if state["is_clock_stopped"] else None


def stop_clock(at: datetime) -> None:
    """Stop the simulator's time at an instant; what fell due by then is decided on return."""
    _call("POST", "/clock", {"at": at.isoformat(), "stopped": True})


def start_clock(at: datetime) -> None:
    """Let the simulator's time go on from an instant."""
    _call("POST", "/clock", {"at": at.isoformat(), "stopped": False})


def hold_callbacks(*, is_held: bool) -> None:
    """Keep callbacks for ``take_callbacks`` instead of sending them, or send them again."""
    _call("POST", "/callbacks/hold", {"hold": is_held})


def take_callbacks() -> list[Callback]:
    """Return what is due and held, oldest first, and forget it."""
    taken = json.loads(_call("POST", "/callbacks/take"))["callbacks"]
    return [Callback(each["url"], each["text"].encode(), each["headers"]) for each in taken]


def script(*, phone: str, actions: list[Mapping[str, object]], times: int | None = 1) -> None:
    """Say what becomes of the next requests to a phone; ``times`` None is always."""
    match = {"path": "/mpesa/stkpush/v1/processrequest", "body": {"PhoneNumber": phone.lstrip("+")}}
    _call("POST", "/scripts", {"match": match, "times": times, "actions": actions})


def forget_scripts() -> None:
    _call("DELETE", "/scripts")


def receipt_of(phone: str) -> str:
    """Return the receipt of the latest prompt of a phone: what its person reads in his messages."""
    prompts = json.loads(_call("GET", f"/prompts?msisdn={phone.lstrip('+')}"))["prompts"]
    return str(prompts[0]["receipt"])


def use_card(session: str, card: str) -> None:
    """Pay on the page of the provider; one whose card is not taken is left."""
    try:
        _call("POST", f"/stripe/sessions/{session}/pay", {"card": card})
    except SimulatorRefused:
        _call("POST", f"/stripe/sessions/{session}/expire", {})


def dispute(charge: str) -> None:
    """Let the holder of a card say that he did not order this."""
    _call("POST", f"/stripe/charges/{charge}/dispute", {"reason": "fraudulent"})


def win(dispute: str) -> None:
    """Let the holder's bank decide a dispute for us."""
    _call("POST", f"/stripe/disputes/{dispute}/win", {})


def statement(short_code: str) -> dict[str, Any]:
    """Return the statement of a short code from its first movement on."""
    found: dict[str, Any] = json.loads(_call("GET", f"/statement?shortcode={short_code}"))
    return found


def _call(method: str, path: str, content: Mapping[str, object] | None = None) -> bytes:
    base = settings.TREASURY["SIMULATOR_URL"]
    client = http.Client(policy=http.AddressPolicy(allowed_loopback=(base,)))
    body = b"" if content is None else json.dumps(content).encode()
    answer = client.send(
        method, f"{base}/__control{path}", headers={"Content-Type": "application/json"}, content=body
    )
    if answer.status not in OK:
        raise SimulatorRefused(f"{method} {path}: {answer.status} {answer.body.decode(errors='replace')}")
    return answer.body
