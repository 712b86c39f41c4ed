"""
Providers that have many callbacks to deliver: at a rate, in no order, some of them twice, whatever the answers are.

A callback's time counts from the instant at which it was due. Reads its job from the file that its argument names.
"""

import json
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from script.devkit.benches.payments_client import FAILURES, Client

IN_FLIGHT = 100
TIMEOUT = 10.0
SEED = 7
OK = 200


def main(job: dict[str, Any]) -> dict[str, Any]:
    """Post every callback once, and one in ``each_twice`` a second time, shuffled, ``rate`` a second."""
    chosen = random.Random(SEED)  # noqa: S311 (an order that can be had again)
    posts = [*job["callbacks"], *job["callbacks"][:: job["each_twice"] - 1]]
    chosen.shuffle(posts)
    client = Client(posts[0]["url"], TIMEOUT)
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        started = time.monotonic() + 0.2
        waiting = []
        for number, post in enumerate(posts):
            due = started + number / job["rate"]
            time.sleep(max(0.0, due - time.monotonic()))
            waiting.append(pool.submit(deliver, client, post, due))
        answers = [one.result() for one in waiting]
        seconds = time.monotonic() - started
    latencies = [latency for latency, _ in answers]
    return {
        "posted": len(posts),
        "seconds": round(seconds, 1),
        "latencies": latencies,
        "slowest_ms": round(max(latencies, default=0.0) * 1000, 1),
        "refused": [said for _, said in answers if said != str(OK)],
    }


def deliver(client: Client, post: dict[str, Any], due: float) -> tuple[float, str]:
    """Post one callback once, as its provider does; return how late its answer was, and what it said."""
    try:
        status, _ = client.post(urlsplit(post["url"]).path, post["text"], post["headers"])
    except FAILURES as error:
        return time.monotonic() - due, type(error).__name__
    return time.monotonic() - due, str(status)


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
