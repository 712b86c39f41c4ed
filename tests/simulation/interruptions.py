"""What goes wrong inside: processes that end at named points, connections that fail, others that go first."""

import contextvars
import threading
from typing import TYPE_CHECKING

from django.db import connection

from apps.kit import http

if TYPE_CHECKING:
    from tests.simulation.world import World

CRASH_POINTS = {
    "payments.before_send": 0.12,
    "payments.after_send": 0.12,
    "payments.after_query": 0.2,
    "payments.before_posting": 0.1,
    "payments.after_pull": 0.1,
    "payments.before_refund": 0.1,
    "payments.after_refund": 0.1,
    "payments.before_order": 0.1,
    "payments.after_order": 0.1,
    "payments.after_repeat": 0.1,
    "payments.after_dispute": 0.1,
    "payments.after_dispute_answer": 0.15,
    "payments.before_dispute_posting": 0.15,
    "disbursements.before_account": 0.1,
    "disbursements.after_account": 0.1,
    "disbursements.before_transfer": 0.1,
    "disbursements.after_transfer": 0.15,
    "disbursements.before_reversal": 0.1,
    "disbursements.after_reversal": 0.15,
    "integrations.callback_stored": 0.12,
    "jobs.after_chunk": 0.1,
    "events.before_handler": 0.04,
    "events.after_handler": 0.04,
    "events.before_webhook": 0.1,
    "events.after_webhook": 0.1,
}
"""Where a process may end, and how often it does. A run in which a point was never hit fails."""

TURN_POINTS = {
    "payments.before_send": 0.2,
    "payments.after_send": 0.2,
    "payments.after_query": 0.3,
    "payments.attempt_locked": 0.2,
    "payments.before_posting": 0.15,
    "payments.after_pull": 0.2,
    "payments.before_refund": 0.15,
    "payments.after_refund": 0.15,
    "payments.before_order": 0.15,
    "payments.after_order": 0.15,
    "payments.after_dispute": 0.25,
    "payments.after_dispute_answer": 0.25,
    "payments.before_dispute_posting": 0.15,
    "disbursements.before_transfer": 0.2,
    "disbursements.after_transfer": 0.2,
    "disbursements.before_reversal": 0.2,
    "disbursements.after_reversal": 0.2,
    "ledger.hold_locked": 0.3,
    "jobs.after_chunk": 0.3,
    "events.before_handler": 0.05,
    "events.after_handler": 0.05,
}
"""Where another process may go first, on a connection of its own, and how often it does."""

NETWORK_FAULTS = ("not_sent", "no_answer")
NETWORK_SHARE = 0.06
LOCK_TIMEOUT = "60ms"


class Crash(BaseException):
    """The process ended at a named point."""


class Interruptions:
    """Decides, by the world's seed, at which named points what goes wrong."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.is_calm = False
        self.is_aside = False

    def reach(self, name: str) -> None:
        """Stand in for what the clock and the scheduler of a machine do at a named point."""
        if self.is_calm:
            return
        world = self.world
        if name in CRASH_POINTS and not self.is_aside and world.chance(CRASH_POINTS[name]):
            world.hit(f"crash:{name}")
            world.note(f"the process ends at {name}")
            raise Crash(name)
        if name in TURN_POINTS and not self.is_aside and world.chance(TURN_POINTS[name]):
            self._let_another_go(name)

    def before_network(self) -> None:
        """Fail before anything has left."""
        if not self.is_calm and self.world.chance(NETWORK_SHARE):
            self.world.hit("network:not_sent")
            raise http.NotSent("connect", "no connection")

    def after_network(self) -> None:
        """Lose an answer on its way back."""
        if not self.is_calm and self.world.chance(NETWORK_SHARE):
            self.world.hit("network:no_answer")
            raise http.NoAnswer("connection", "the connection ended")

    def _let_another_go(self, name: str) -> None:
        """
        Run another process on a connection of its own while this one stands still at the point.

        It runs to its end, or waits for a row that this one holds: then it gives up after LOCK_TIMEOUT, and what it
        wanted to do is still to be done. Which of the two happens depends on the locks alone, so a seed repeats it.
        """
        from tests.simulation import actions  # noqa: PLC0415 (actions know interruptions)

        deed = actions.choose_aside(self.world)
        self.world.hit(f"turn:{name}")
        self.is_aside = True
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(self._aside, name, deed))
        thread.start()
        thread.join()
        self.is_aside = False

    def _aside(self, name: str, deed: "actions.Aside") -> None:  # type: ignore[name-defined] # noqa: F821
        connection.set_tenant(self.world.organisation)
        outcome = "failed"
        with self.world.watched(deed.text):
            with connection.cursor() as cursor:
                cursor.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
            outcome = deed.act()
        connection.close()
        if outcome == "blocked":
            self.world.hit("turn:blocked")
        self.world.note(f"at {name} another goes first: {deed.text}: {outcome}")
