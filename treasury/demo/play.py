"""Plays the story: services are called and their jobs run at the instants at which they would, on the simulator's stopped clock."""

import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count, cycle
from uuid import UUID

from apps.integrations.services import callbacks
from apps.kit import clock, jobs
from apps.kit.jobs import Job
from apps.payments.contracts import Choice, Method, NewIntent
from apps.payments.selectors import intents as payments
from apps.payments.services import intents, sweeps
from treasury.demo import control, organisation, story
from treasury.demo.endings import OPEN_AT_FIRST, PLANS, Ending
from treasury.demo.organisation import House
from treasury.demo.people import CONTROLLER, OFFICER
from treasury.demo.story import Order, Story

STEP = timedelta(milliseconds=340)
"""What a job or a delivery takes, so that a timeline shows one thing after the other."""

DECIDED_AFTER = timedelta(minutes=7)
VERIFIED_AFTER = timedelta(minutes=23)
WITHDRAWN_AFTER = timedelta(seconds=25)
"""When a colleague confirms an order or calls it off, asks about a receipt, or withdraws what was asked."""

ANSWERS_AFTER = timedelta(seconds=1)
WEBHOOKS_FROM = timedelta(hours=20)
"""The consuming application listens to webhooks from so long before the end: what was before is told to nobody."""

RELAY = "events.relay"
LEFT_TO_WORKERS = (Job(RELAY, {"lane": "documents"}),)
SENT_BY_WORKERS = "events.send_webhook"
GATES = tuple(f"127.0.0.{number}" for number in range(11, 19))
"""Where callbacks come from: several, because one may send 600 in a minute of the computer's time."""

type Deed = Callable[[], None]


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
        self.house = house
        self.held = held
        self.now = told.starts_at
        self.heap: list[Happening] = []
        self.numbers = count()
        self.gates = cycle(GATES)

    def play(self, *, since: datetime) -> None:
        """Plan everything, then do what is due, one happening after the other."""
        for customer, seconds in self.story.regulars.items():
            pays = {"action": "result", "code": "0", "ms": seconds * 1000}
            control.script(phone=customer.phone, actions=[pays], times=None)
        for order in self.story.orders:
            self._plan_order(order)
        for day in range(1, (self.story.ends_at - self.story.starts_at).days + 1):
            self._plan(self.story.starts_at + timedelta(days=day), self._sweep)
        self._plan(self.story.ends_at - WEBHOOKS_FROM, self._connect_inbox)
        while self.heap:
            happening = heapq.heappop(self.heap)
            if since <= happening.at <= self.story.ends_at:
                self._live(happening)

    def _live(self, happening: Happening) -> None:
        """Go to the instant, do the deed, and then everything that follows from it at once."""
        control.stop_clock(happening.at)
        self.now = happening.at
        with self._a_step_later():
            happening.deed()
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
            at_once = Job(job.name, job.arguments)
            self._plan(self.now + timedelta(seconds=job.countdown), partial(jobs.run, at_once))
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

    def _plan_order(self, order: Order) -> None:
        self._plan(order.at, partial(self._ask, order))
        asked_at = order.at + (DECIDED_AFTER if order.ending is Ending.CONFIRMED_LATER else timedelta(0))
        plan = PLANS.get(order.ending)
        for seconds in plan.seconds if plan else (order.seconds,):
            self._plan(asked_at + timedelta(seconds=seconds), self._take)
        for seconds in plan.looks if plan else ():
            self._plan(asked_at + timedelta(seconds=seconds), self._sweep)
        self._plan_colleagues(order)

    def _plan_colleagues(self, order: Order) -> None:
        """Plan what people of the team do to an order."""
        if order.ending is Ending.CONFIRMED_LATER:
            self._plan(order.at + DECIDED_AFTER, partial(self._confirm, order))
        elif order.ending is Ending.CALLED_OFF:
            self._plan(order.at + DECIDED_AFTER, partial(self._cancel, order))
        elif order.ending is Ending.WITHDRAWN:
            self._plan(order.at + WITHDRAWN_AFTER, partial(self._cancel, order))
        elif order.ending is Ending.VERIFIED:
            self._plan(order.at + VERIFIED_AFTER, partial(self._verify, order))
            self._plan(order.at + VERIFIED_AFTER + ANSWERS_AFTER, self._take)

    def _ask(self, order: Order) -> None:
        plan = PLANS.get(order.ending)
        if plan and plan.actions:
            actions = list(plan.actions)
            if order.ending is Ending.WRONG_SUM:
                actions.append({"action": "wrong_amount", "amount": story.wrong_sum(order).text})
            control.script(phone=order.customer.phone, actions=actions)
        choice = Choice(Method.MPESA, order.customer.phone, order.customer.name)
        request = NewIntent(
            money=order.money,
            branch_id=self.house.branches[order.branch],
            application_id=self.house.application_id,
            choice=choice,
            reference=order.reference,
            description=order.description,
            is_confirmed=order.ending not in OPEN_AT_FIRST,
        )
        try:
            intents.create(request=request, actor=self.house.till, now=self.now)
        except intents.DuplicateReference:
            return  # a play that was interrupted at this instant had asked already

    def _take(self) -> None:
        """Let in the callbacks that are due."""
        for callback in control.take_callbacks():
            callbacks.store(
                token=callback.token,
                kind=callback.kind,
                body=callback.body,
                headers={"content-type": "application/json"},
                remote_ip=next(self.gates),
                now=self.now,
            )

    def _sweep(self) -> None:
        sweeps.run(now=self.now)

    def _confirm(self, order: Order) -> None:
        intents.confirm(intent_id=self._id(order), actor=self.house.actor(OFFICER), now=self.now)

    def _cancel(self, order: Order) -> None:
        intents.cancel(intent_id=self._id(order), actor=self.house.actor(OFFICER), now=self.now)

    def _verify(self, order: Order) -> None:
        receipt = control.receipt_of(order.customer.phone)
        controller = self.house.actor(CONTROLLER)
        intents.verify(intent_id=self._id(order), receipt=receipt, actor=controller, now=self.now)

    def _id(self, order: Order) -> UUID:
        return payments.visible_to(self.house.owner).get(reference=order.reference).id

    def _connect_inbox(self) -> None:
        organisation.connect_inbox(application_id=self.house.application_id, now=self.now)
