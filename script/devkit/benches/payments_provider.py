"""The simulator as the bench wants it: as slow as a real provider, some requests never answered, callbacks handed out."""

import json
import time
import urllib.request
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Standstill:
    """Since when the clock has stood still, and for how many payments a payer had been asked by then."""

    since: float
    asked: int


def stand_still(simulator: str) -> Standstill:
    """Answer at once from here on, stop the clock so that requests wait for their payers, and hand callbacks out."""
    _ask(simulator, "DELETE", "/scripts")
    _script(simulator, rails.asked(rails.MPESA, None), [PAYS])
    _ask(simulator, "POST", "/clock", {"stopped": True})
    _ask(simulator, "POST", "/callbacks/hold", {"hold": True})
    return Standstill(time.monotonic(), _asked(simulator))


def wait_for_requests(simulator: str, stood: Standstill, count: int, *, patience: float) -> None:
    """Return once so many payments wait for their payers, by whatever rail."""
    end = time.monotonic() + patience
    while (waiting := _asked(simulator) - stood.asked) < count:
        if time.monotonic() > end:
            raise Refusal(f"{waiting} of {count} requests came within {patience:.0f} s.")
        time.sleep(PAUSE)


def callbacks_of_all(simulator: str, stood: Standstill) -> list[dict[str, Any]]:
    """
    Have everybody pay who was asked, and return the callbacks that follow, as they are signed: address, headers and text of each.

    The clock goes right again, for what is signed is dated; what follows later is sent by the simulator itself.
    """
    missed = PAYS_AFTER + round(time.monotonic() - stood.since)
    _ask(simulator, "POST", "/tick", {"seconds": missed})
    _ask(simulator, "POST", "/clock", {"stopped": False})
    found: list[dict[str, Any]] = []
    while taken := _ask(simulator, "POST", "/callbacks/take", {"limit": TAKEN})["callbacks"]:
        found += [{name: one[name] for name in ("url", "headers", "text")} for one in taken]
    _ask(simulator, "POST", "/callbacks/hold", {"hold": False})
    return found


def _asked(simulator: str) -> int:
    """Return how many prompts, pages of Stripe and orders of PayPal there have been; of the first those that still wait."""
    state = _ask(simulator, "GET", "/state")
    prompts: int = state["prompts"].get("waiting", 0)
    pages: int = state["stripe"]["objects"].get("checkout.session", 0)
    orders: int = state["paypal"]["objects"].get("order", 0)
    return prompts + pages + orders


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
