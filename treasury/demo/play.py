"""Plays the story: services are called and their jobs run at the instants at which they would, on the simulator's stopped clock."""

import heapq
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Protocol

from apps.kit import clock, errors, jobs
from apps.kit.jobs import Job
from treasury.demo import control
from treasury.demo.deeds import Deeds
from treasury.demo.endings import PLANS, Ending
from treasury.demo.organisation import House
from treasury.demo.story import Order, Return, Story, Verdict

STEP = timedelta(milliseconds=340)
"""What a job or a delivery takes, so that a timeline shows one thing after the other."""

DECIDED_AFTER = timedelta(minutes=7)
VERIFIED_AFTER = timedelta(minutes=23)
WITHDRAWN_AFTER = timedelta(seconds=25)
"""When a colleague confirms an order or calls it off, asks about a receipt, or withdraws what was asked."""

DISPUTED = frozenset({Ending.DISPUTED, Ending.DISPUTE_WON})
DISPUTED_AFTER, ANSWERED_AFTER, WON_AFTER = timedelta(hours=9), timedelta(hours=22), timedelta(days=4)
"""When the holder of a card tells his bank, we answer it, and it decides."""

DISPUTED_BEFORE = timedelta(hours=5)
"""What waits for an answer at the end was disputed so long before."""

APPROVED_AFTER = timedelta(minutes=41)
REVERSED_AFTER = timedelta(seconds=4)
ANSWERS_AFTER = timedelta(seconds=1)
WEBHOOKS_FROM = timedelta(hours=20)
"""The consuming application listens to webhooks from so long before the end: what was before is told to nobody."""

EXPORTED_BEFORE = timedelta(hours=3)
RELAY = "events.relay"
LEFT_TO_WORKERS = (Job(RELAY, {"lane": "documents"}),)
SENT_BY_WORKERS = "events.send_webhooks"


class Deed(Protocol):
    """Something that is done at an instant."""

    def __call__(self, *, now: datetime) -> None: ...


@dataclass(order=True, slots=True)
class Happening:
    """Something that is due at an instant; of two at one instant the one that was planned first comes first."""

    at: datetime
    number: int
    deed: Deed = field(compare=False)


def play(told: Story, house: House, *, since: datetime) -> None:
    """
    Live through the story from ``since`` to its end, in the organisation that was entered; what had its time before
    is taken as done.

    Jobs are run here, at once or when their countdown ends, but for two kinds that the workers find by their sweeps
    later: sending webhooks and making PDFs. Nothing is left in the broker. Interrupted, it leaves the simulator's time
    where it stopped, so that ``since`` can go on from there; at the end the simulator is back in the computer's time.
    """
    control.forget_scripts()
    control.hold_callbacks(is_held=True)
    with jobs.held() as held:
        Player(told, house, held).play(since=since)
    control.forget_scripts()
    control.start_clock(clock.now())
    control.hold_callbacks(is_held=False)


class Player:
    """Holds the time of the story, what is still to happen, and the jobs that were asked for meanwhile."""

    def __init__(self, told: Story, house: House, held: list[Job]) -> None:
        self.story = told
        self.deeds = Deeds(house)
        self.held = held
        self.now = told.starts_at
        self.heap: list[Happening] = []
        self.numbers = count()

    def play(self, *, since: datetime) -> None:
        """Plan everything, then do what is due, one happening after the other."""
        for customer, seconds in self.story.regulars.items():
            pays = {"action": "result", "code": "0", "ms": seconds * 1000}
            control.script(phone=customer.phone, actions=[pays], times=None)
        for order in self.story.orders:
            self._plan_order(order)
        for returned in self.story.returns:
            self._plan_return(returned)
        for day in range(1, (self.story.ends_at - self.story.starts_at).days + 1):
            self._plan(self.story.starts_at + timedelta(days=day), self.deeds.sweep)
        self._plan(self.story.ends_at - WEBHOOKS_FROM, self.deeds.connect_inbox)
        self._plan(self.story.ends_at - EXPORTED_BEFORE, self.deeds.export)
        while self.heap:
            happening = heapq.heappop(self.heap)
            if since <= happening.at <= self.story.ends_at:
                self._live(happening, is_repeat=happening.at == since)

    def _live(self, happening: Happening, *, is_repeat: bool) -> None:
        """
        Go to the instant, do the deed, and then everything that follows from it at once.

        ``is_repeat``: a play that was interrupted at this instant may have done the deed already, and is refused then.
        """
        control.stop_clock(happening.at)
        self.now = happening.at
        with self._a_step_later(), suppress(errors.DomainError) if is_repeat else nullcontext():
            happening.deed(now=self.now)
        self._work()

    def _work(self) -> None:
        while self.held:
            asked = list(self.held)
            self.held.clear()
            for place, job in enumerate(asked):
                if job not in asked[:place]:
                    self._run(job)

    def _run(self, job: Job) -> None:
        if job in LEFT_TO_WORKERS or job.name == SENT_BY_WORKERS:
            return
        if job.countdown:
            self._plan(self.now + timedelta(seconds=job.countdown), partial(self._do, job))
            return
        with self._a_step_later():
            jobs.run(job)
        if job.name == RELAY:  # it has emptied its lane, its own wake-ups included
            self.held[:] = [each for each in self.held if each != job]

    @contextmanager
    def _a_step_later(self) -> Iterator[None]:
        self.now += STEP
        with clock.fixed(self.now):
            yield

    def _plan(self, at: datetime, deed: Deed) -> None:
        heapq.heappush(self.heap, Happening(at, next(self.numbers), deed))

    def _plan_told(self, at: datetime, deed: Deed) -> None:
        """Plan what is done at the provider, and a moment later its messages about it."""
        self._plan(at, deed)
        self._plan(at + ANSWERS_AFTER, self.deeds.take_callbacks)

    def _do(self, job: Job, *, now: datetime) -> None:  # noqa: ARG002 (a job reads the clock, which stands at now)
        """Run a job whose countdown has ended."""
        jobs.run(job)

    def _plan_order(self, order: Order) -> None:
        deeds = self.deeds
        self._plan(order.at, partial(deeds.ask, order))
        asked_at = order.at + (DECIDED_AFTER if order.ending is Ending.CONFIRMED_LATER else timedelta(0))
        self._plan_payer(order, asked_at)
        if order.ending in DISPUTED:
            self._plan_dispute(order)
        elif order.ending is Ending.CONFIRMED_LATER:
            self._plan(asked_at, partial(deeds.confirm, order))
        elif order.ending is Ending.CALLED_OFF:
            self._plan(order.at + DECIDED_AFTER, partial(deeds.cancel, order))
        elif order.ending is Ending.WITHDRAWN:
            self._plan(order.at + WITHDRAWN_AFTER, partial(deeds.cancel, order))
        elif order.ending is Ending.VERIFIED:
            self._plan_told(order.at + VERIFIED_AFTER, partial(deeds.verify, order))

    def _plan_payer(self, order: Order, asked_at: datetime) -> None:
        """Plan when the payer does what he does, and when the sweeps have something to find."""
        plan = PLANS.get(order.ending)
        for seconds in plan.seconds if plan else (order.seconds,):
            at = asked_at + timedelta(seconds=seconds)
            if plan and plan.card:
                self._plan_told(at, partial(self.deeds.use_card, order))
            else:
                self._plan(at, self.deeds.take_callbacks)
        for seconds in plan.looks if plan else ():
            self._plan(asked_at + timedelta(seconds=seconds), self.deeds.sweep)

    def _plan_dispute(self, order: Order) -> None:
        at, deeds = order.at + DISPUTED_AFTER, self.deeds
        if order.ending is Ending.DISPUTED:
            at = max(at, self.story.ends_at - DISPUTED_BEFORE)
        self._plan_told(at, partial(deeds.dispute, order))
        if order.ending is Ending.DISPUTE_WON:
            self._plan(order.at + ANSWERED_AFTER, partial(deeds.answer, order))
            self._plan_told(order.at + WON_AFTER, partial(deeds.win, order))

    def _plan_return(self, returned: Return) -> None:
        deeds, sent_at = self.deeds, returned.at
        self._plan(returned.at, partial(deeds.give_back, returned))
        if returned.verdict is Verdict.REFUSED:
            self._plan(returned.at + APPROVED_AFTER, partial(deeds.refuse, returned))
        elif returned.verdict is Verdict.APPROVED:
            sent_at += APPROVED_AFTER
            self._plan(sent_at, partial(deeds.approve, returned))
        self._plan(sent_at + REVERSED_AFTER, deeds.take_callbacks)
