"""The running simulator: its store, its clock, and the thread that lets things happen when they are due."""

import logging
import sqlite3
import threading
from dataclasses import dataclass, field

from apps.simulator.contracts import Callback
from apps.simulator.paypal.services import accounts as paypal
from apps.simulator.services import callbacks, due, payments, rates
from apps.simulator.services.clock import StepRefused, VirtualClock
from apps.simulator.store import Store, StoreClosed
from apps.simulator.stripe.services import accounts as stripe

logger = logging.getLogger(__name__)
LONGEST_SLEEP_SECONDS = 1.0
EVERYTHING_BUT_ACCOUNTS = (
    "prompt",
    "reversal",
    "statement_row",
    "callback",
    "script",
    "log_entry",
    "token",
    "payer",
    "pull_registration",
    "payment",
    "registration",
    "spent_form",
)
HAPPENINGS = (
    "prompt",
    "payment",
    "reversal",
    "statement_row",
    "callback",
    stripe.HAPPENINGS,
    paypal.HAPPENINGS,
)


@dataclass(frozen=True, slots=True)
class World:
    """
    What every face works on. `has_changed` wakes the thread, `is_stopping` ends all waiting, `chaos` is the share of calls
    that go wrong by themselves.
    """

    store: Store
    clock: VirtualClock
    chaos: float = 0.0
    has_changed: threading.Event = field(default_factory=threading.Event)
    is_stopping: threading.Event = field(default_factory=threading.Event)

    def run_until_stopped(self) -> None:
        """Decide what is due and send what is owed, until the simulator stops."""
        with self.store.transaction() as tx:
            callbacks.give_up_interrupted(tx=tx, now=self.clock.now())
        while not self.is_stopping.is_set():
            self.has_changed.clear()
            now = self.clock.now()
            with self.store.transaction() as tx:
                due.decide(tx=tx, now=now)
                owed = callbacks.claim_due(tx=tx, now=now)
                next_callback = None if callbacks.are_held(tx=tx) else callbacks.next_due(tx=tx)
                waits = [at for at in (due.next_at(tx=tx), next_callback) if at is not None]
            for callback in owed:
                threading.Thread(target=self.deliver, args=(callback,), daemon=True).start()
            milliseconds = min(waits, default=now + 60_000) - self.clock.now()
            self.has_changed.wait(min(max(milliseconds / 1_000, 0), LONGEST_SLEEP_SECONDS))

    def deliver(self, callback: Callback) -> None:
        """Send one callback; a simulator that closes meanwhile leaves it as interrupted."""
        try:
            answer = callbacks.deliver(store=self.store, callback=callback, now=self.clock.now())
            if callback.kind == "validation":
                self.hear(receipt=callback.cause, answer=answer)
        except StoreClosed:
            logger.info("The simulator stopped while a callback was on its way.")

    def hear(self, *, receipt: str, answer: bytes | None) -> None:
        """Take what a business says to a payment before it is made; None where it could not be asked."""
        with self.store.transaction() as tx:
            payments.hear(tx=tx, receipt=receipt, answer=answer, now=self.clock.now())
        self.has_changed.set()

    def tick(self, *, seconds: int) -> int:
        """Advance virtual time and decide what fell due; return how much that was."""
        with self.store.transaction() as tx:
            self.clock.advance(tx=tx, seconds=seconds)
            decided = due.decide(tx=tx, now=self.clock.now())
        self.has_changed.set()
        return decided

    def set_clock(self, *, at: int | None, is_stopped: bool) -> int:
        """
        Go to a moment, stopped there or going on from it, and decide what fell due; return how much that was.

        Raises StepRefused for the past where anything has happened: time would run twice over it.
        """
        with self.store.transaction() as tx:
            now = self.clock.now()
            if at is not None and at < now and _has_happened(tx=tx):
                raise StepRefused("Time goes back only where nothing has happened yet: reset first.")
            self.clock.set(tx=tx, at=now if at is None else at, is_stopped=is_stopped)
            decided = due.decide(tx=tx, now=self.clock.now())
        self.has_changed.set()
        return decided

    def hold_callbacks(self, *, is_held: bool) -> None:
        """Hand callbacks out from now on, or send them again."""
        with self.store.transaction() as tx:
            callbacks.hold(tx=tx, is_held=is_held)
        self.has_changed.set()

    def reset(self, *, with_accounts: bool) -> None:
        """Forget everything that happened; identifiers go on, so that no receipt comes twice."""
        with self.store.transaction() as tx:
            for table in EVERYTHING_BUT_ACCOUNTS:
                tx.execute(f"DELETE FROM {table}")  # noqa: S608
            tx.execute("DELETE FROM account" if with_accounts else "UPDATE account SET balance_cents = 0")
            callbacks.hold(tx=tx, is_held=False)
            rates.forget(tx=tx)
            stripe.forget(tx=tx, with_accounts=with_accounts)
            paypal.forget(tx=tx, with_accounts=with_accounts)
            self.clock.rewind(tx=tx)
        self.has_changed.set()


def _has_happened(*, tx: sqlite3.Connection) -> bool:
    return any(tx.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() for table in HAPPENINGS)  # noqa: S608
