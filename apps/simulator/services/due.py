"""What decides itself when its time has come, on every face, in the order in which it falls due."""

import sqlite3

from apps.simulator.paypal.services import due as paypal
from apps.simulator.services import payments, prompts, reversals
from apps.simulator.stripe.services import due as stripe

SOURCES = (prompts, payments, reversals, stripe, paypal)


def decide(*, tx: sqlite3.Connection, now: int) -> int:
    """Decide everything that is due, each thing at its own time, and return how much that was."""
    decided = 0
    while True:
        waiting = [
            (at, place, source)
            for place, source in enumerate(SOURCES)
            if (at := source.next_due(tx=tx)) is not None and at <= now
        ]
        if not waiting:
            return decided
        _, _, first = min(waiting, key=lambda entry: entry[:2])
        first.settle_next(tx=tx)
        decided += 1


def next_at(*, tx: sqlite3.Connection) -> int | None:
    """Return when the next thing decides itself."""
    times = [at for source in SOURCES if (at := source.next_due(tx=tx)) is not None]
    return min(times, default=None)
