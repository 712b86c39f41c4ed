"""How the rails that sign their messages do it: a scheme turns a body into the headers that go with it."""

import hashlib
import hmac
import sqlite3
from collections.abc import Callable, Mapping

from apps.simulator.paypal.services import transmissions

Scheme = Callable[[sqlite3.Connection, Mapping[str, object], str, int], dict[str, str]]


def headers(*, tx: sqlite3.Connection, signing: Mapping[str, object], body: str, at: int) -> dict[str, str]:
    """Return the headers by which a receiver checks a body that leaves at a virtual time."""
    return SCHEMES[str(signing["scheme"])](tx, signing, body, at)


def _stripe(_: sqlite3.Connection, signing: Mapping[str, object], body: str, at: int) -> dict[str, str]:
    """Sign with HMAC-SHA256 of time and body by the secret of the endpoint, its text taken as it is; ``skew_ms`` moves the time."""
    seconds = (at + int(str(signing.get("skew_ms", 0)))) // 1_000
    secret = "whsec_of_somebody_else" if signing.get("is_bad") else str(signing["secret"])
    digest = hmac.new(secret.encode(), f"{seconds}.{body}".encode(), hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={seconds},v1={digest}"}


SCHEMES: dict[str, Scheme] = {"stripe": _stripe, "paypal": transmissions.headers}
