"""
A partner that asks for payments at a fixed rate, whatever the answers do; run by .venv's Python, in a process of its own.

Latency counts from the instant at which a request was due, not from when it could be sent: a server that stands still
makes every request late that was due meanwhile. Reads its job from the file that its argument names; answers on stdout.
"""

import json
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from script.devkit.benches import payments_rails as rails
from script.devkit.benches.payments_client import FAILURES, Client

IN_FLIGHT = 100
WARM_UP_IN_FLIGHT = 4
TIMEOUT = 10.0
REPEATS = (0.0, 1.0, 3.0)
CREATED = 201


@dataclass(frozen=True)
class Sent:
    """One payment: how late its answer was after the instant at which it was due, and what went wrong on the way."""

    seconds: float
    payment: str = ""
    problem: str = ""


def main(job: dict[str, Any]) -> dict[str, Any]:
    """
    Warm up with ``warm_up`` payments, a few at a time; then send ``count`` at ``rate`` a second, whatever the answers do:
    ``latencies`` are those of the latter, which begin when the file ``mark`` is there.
    """
    first, client = job["first"], Client(job["api_base"], TIMEOUT)
    with ThreadPoolExecutor(WARM_UP_IN_FLIGHT) as pool:
        numbers = range(first, first + job["warm_up"])
        warm = list(pool.map(lambda number: send(client, job, number, time.monotonic()), numbers))
    Path(job["mark"]).touch()
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        started = time.monotonic() + 0.2
        waiting = []
        for number in range(job["count"]):
            due = started + number / job["rate"]
            time.sleep(max(0.0, due - time.monotonic()))
            waiting.append(pool.submit(send, client, job, first + job["warm_up"] + number, due))
        timed = [one.result() for one in waiting]
    return {
        "accepted": [one.payment for one in warm + timed if one.payment],
        "latencies": [one.seconds for one in timed if one.payment],
        "problems": dict(Counter(one.problem for one in warm + timed if one.problem)),
    }


def send(client: Client, job: dict[str, Any], number: int, due: float) -> Sent:
    """Ask one payer for money; without an answer, or refused, ask again under the same key, as a careful partner does."""
    rail = job["rails"].get(str(number)[-1], rails.MPESA)
    body = json.dumps(rails.body(rail, number, amount(job, number), f"{job['reference']}{number}"))
    keys = job["api_keys"]
    headers = {"Authorization": f"Bearer {keys[number % len(keys)]}", "Idempotency-Key": f"bench-{number}"}
    path, problem = f"{urlsplit(job['api_base']).path}/payments", ""
    for pause in REPEATS:
        time.sleep(pause)
        try:
            status, answer = client.post(path, body, headers)
        except FAILURES as error:
            problem = type(error).__name__
            continue
        if status == CREATED:
            return Sent(time.monotonic() - due, payment=json.loads(answer)["id"], problem=problem)
        problem = str(status)
    return Sent(time.monotonic() - due, problem=problem)


def amount(job: dict[str, Any], number: int) -> int:
    """Return the sum of a payment, which tells the provider what to do with it."""
    amounts = job["amounts"]  # each rail meets all of them, and neighbours meet different ones
    return int(job["special"].get(str(number % 100), amounts[(number + number // 10) % len(amounts)]))


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
