"""The simulator as the bench wants it: as slow as a real provider, some requests never answered, callbacks handed out."""

import json
import time
import urllib.request
from typing import Any

from script.devkit.benches import payments_rails as rails
from script.devkit.refusals import Refusal

PAYS = {"action": "result", "code": "0"}
DELAYS_MS = (60, 109, 155, 206, 265, 339, 437, 580, 826, 1500)
"""Ten equal shares of a log-normal distribution with a median of 300 ms and 1.5 s at its 95th percentile."""
AMOUNTS = [*range(100, 100 + len(DELAYS_MS))]
"""In whole units: which delay a request meets, by whatever rail, is told by its sum."""
ANSWERED_LATE, UNANSWERED = 150, 151
"""Sums of M-Pesa's requests that get no answer, one in a hundred each: of the first the payer pays all the same, the second never arrives."""
SPECIAL = {"50": ANSWERED_LATE, "99": UNANSWERED}
"""The last two digits of a payment's number, and its sum."""
PAYS_AFTER = 3
TAKEN = 1_000
PAUSE = 0.5


def answer_slowly(simulator: str) -> None:
    """Delay each answer by its sum, leave two in a hundred without one, and have every payer pay after two seconds."""
    _script(simulator, rails.asked(rails.MPESA, ANSWERED_LATE), [PAYS, {"action": "hang", "processed": True}])
    _script(simulator, rails.asked(rails.MPESA, UNANSWERED), [{"action": "hang"}])
    for amount, delay in zip(AMOUNTS, DELAYS_MS, strict=True):
        slow = {"action": "delay", "ms": delay}
        _script(simulator, rails.asked(rails.MPESA, amount), [PAYS, slow])
        for rail in (rails.STRIPE, rails.PAYPAL):
            _script(simulator, rails.asked(rail, amount), [slow])


def stand_still(simulator: str) -> None:
    """Answer at once from here on, stop the clock so that prompts wait for their payers, and hand callbacks out."""
    _ask(simulator, "DELETE", "/scripts")
    _script(simulator, rails.asked(rails.MPESA, None), [PAYS])
    _ask(simulator, "POST", "/clock", {"stopped": True})
    _ask(simulator, "POST", "/callbacks/hold", {"hold": True})


def wait_for_prompts(simulator: str, count: int, *, patience: float) -> None:
    """Return once so many prompts wait for their payers."""
    end = time.monotonic() + patience
    while (waiting := _ask(simulator, "GET", "/state")["prompts"].get("waiting", 0)) < count:
        if time.monotonic() > end:
            raise Refusal(f"{waiting} of {count} prompts came within {patience:.0f} s.")
        time.sleep(PAUSE)


def callbacks_of_all(simulator: str) -> list[dict[str, Any]]:
    """Have everybody pay who was asked, and return the callbacks that follow: address and body of each."""
    _ask(simulator, "POST", "/tick", {"seconds": PAYS_AFTER})
    _ask(simulator, "POST", "/clock", {"stopped": False})
    found: list[dict[str, Any]] = []
    while taken := _ask(simulator, "POST", "/callbacks/take", {"limit": TAKEN})["callbacks"]:
        found += [{"url": one["url"], "body": one["body"]} for one in taken]
    return found


def _script(simulator: str, match: dict[str, Any], actions: list[dict[str, Any]]) -> None:
    _ask(simulator, "POST", "/scripts", {"match": match, "times": None, "actions": actions})


def _ask(simulator: str, method: str, path: str, content: dict[str, Any] | None = None) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 (our own simulator)
        f"{simulator}/__control{path}",
        method=method,
        data=None if content is None else json.dumps(content).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
        return found
