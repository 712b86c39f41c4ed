"""The story of the month: every order of two restaurants with its time, payer and ending, all of it from one seed."""

import bisect
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from apps.kit.money import Money
from treasury.demo.endings import PLANS, Ending
from treasury.demo.people import Customer, customers

NAIROBI = ZoneInfo("Africa/Nairobi")
WESTLANDS, CENTRE = "WST", "CBD"
REGULARS = 70
QUOTA_OF = 500
HEADROOM = timedelta(minutes=4)
"""The last order is asked for so long before the end of the story: by then it has its ending."""

HOURS = {
    WESTLANDS: (0, 0, 0, 0, 0, 0, 0, 2, 3, 3, 3, 5, 9, 10, 6, 4, 4, 6, 11, 15, 14, 9, 4, 1),
    CENTRE: (0, 0, 0, 0, 0, 0, 1, 4, 4, 3, 4, 9, 16, 14, 7, 3, 3, 4, 6, 6, 4, 2, 1, 0),
}
"""How busy each hour of the day is, in Nairobi."""

WEEKDAYS = {WESTLANDS: (8, 8, 9, 10, 14, 16, 13), CENTRE: (11, 11, 11, 11, 12, 6, 3)}
"""How busy each day of the week is, Monday first."""

LAST = 6
"""The last orders, which leave nothing open but what is meant to be open."""

FEWEST = len(PLANS) + LAST
"""So many orders show each ending."""

WAITING_AT_THE_END = (Ending.NEVER_KNOWN, Ending.FORGOTTEN, Ending.CARD_HELD)
STAYING = frozenset({Ending.NEVER_KNOWN, Ending.WRONG_SUM, Ending.DISPUTED})
"""What somebody must look at: in a well-kept house none of it is old."""

REFUND_LIMIT, BOARD_LIMIT = 500_000, 2_000_000
"""From these sums on a refund needs a second and a third person, in cents."""

GROUP_BILL = Money(1_848_000, "KES")
WAITS_SINCE = timedelta(hours=60)
RETURNED_SMALL = 9
DOUBLE = "Charged twice: the guest had paid in cash."
REASONS = (
    "Order cancelled before it was cooked.",
    "Delivery came too late.",
    "Guest paid the bill of another table.",
    "Event moved to another day.",
)
BREAKFAST_ENDS, LUNCH_ENDS = 11, 16
CATERING_SHARE = 0.03
DISHES = {
    "breakfast": (28_000, 120_000),
    "lunch": (45_000, 340_000),
    "dinner": (90_000, 980_000),
    "catering": (1_200_000, 6_000_000),
}
"""The smallest and the largest bill, in cents."""


class Verdict(StrEnum):
    """What other people say to a refund."""

    NOT_ASKED = "not_asked"
    APPROVED = "approved"
    REFUSED = "refused"
    WAITING = "waiting"


DECIDED = (Verdict.APPROVED, Verdict.REFUSED, Verdict.APPROVED, Verdict.APPROVED)


@dataclass(frozen=True, slots=True)
class Order:
    """One bill that somebody is asked to pay; ``seconds`` is how long the payer thinks where nothing goes wrong."""

    at: datetime
    branch: str
    customer: Customer
    money: Money
    reference: str
    description: str
    ending: Ending = Ending.PAID
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Return:
    """An order that is given back: ``at`` an officer asks for it, and other people decide where it is large."""

    order: Order
    at: datetime
    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class Story:
    """The orders in the order of time, what was given back, and who pays regularly with how many seconds of thought."""

    starts_at: datetime
    ends_at: datetime
    regulars: dict[Customer, int]
    orders: tuple[Order, ...]
    returns: tuple[Return, ...] = ()


def tell(*, seed: int, ends_at: datetime, days: int, count: int) -> Story:
    """Return the story of the days before ``ends_at``; the same arguments tell the same story."""
    dice = random.Random(seed)  # noqa: S311 (repeatable is what is asked for)
    people = customers(dice)
    regulars = {next(people): dice.randint(6, 40) for _ in range(REGULARS)}
    starts_at = ends_at - timedelta(days=days)
    moments = sorted(_moments(dice, starts_at, ends_at - HEADROOM, count))
    endings = _endings(dice, count)
    orders = []
    numbers = {WESTLANDS: 1040, CENTRE: 610}
    for (at, branch), ending in zip(moments, endings, strict=True):
        numbers[branch] += 1
        customer = dice.choice(list(regulars)) if ending is Ending.PAID else next(people)
        description, money = _bill(dice, at)
        reference = f"ORD-{branch}-{numbers[branch]:05}"
        orders.append(
            Order(at, branch, customer, money, reference, description, ending, regulars.get(customer, 0))
        )
    _book_group(orders, before=ends_at - timedelta(hours=24))
    returns = tuple(_returns(dice, orders, ends_at))
    return Story(starts_at, ends_at, regulars, tuple(orders), returns)


def _book_group(orders: list[Order], *, before: datetime) -> None:
    """Let the last order that was paid by then be a large one: its refund waits for a second person at the end."""
    place = max(number for number, one in enumerate(orders) if one.at < before and one.ending is Ending.PAID)
    orders[place] = replace(orders[place], money=GROUP_BILL, description="Group booking, 22 guests")


def wrong_sum(order: Order) -> Money:
    """Return what somebody pays who mistakes the sum: a tenth less, in whole shillings."""
    return Money(order.money.minor * 9 // 10 // 100 * 100, order.money.currency)


def _moments(
    dice: random.Random, starts_at: datetime, ends_at: datetime, count: int
) -> Iterator[tuple[datetime, str]]:
    """Draw instants from the hours of both restaurants: each part of the month gets what it weighs, at random within."""
    slots, reached = [], [0]
    for branch in (WESTLANDS, CENTRE):
        hour = starts_at.replace(minute=0, second=0, microsecond=0)
        while hour < ends_at:
            local = hour.astimezone(NAIROBI)
            slots.append((hour, branch))
            reached.append(reached[-1] + HOURS[branch][local.hour] * WEEKDAYS[branch][local.weekday()])
            hour += timedelta(hours=1)
    taken: set[datetime] = set()
    for place in range(count):
        weight = (place + dice.random()) * reached[-1] / count
        slot, branch = slots[bisect.bisect_right(reached, weight) - 1]
        first, last = max(slot, starts_at), min(slot + timedelta(hours=1), ends_at)
        at = first + timedelta(seconds=dice.randrange(1, max(int((last - first).total_seconds()), 2)))
        while at in taken:
            at += timedelta(seconds=1)
        taken.add(at)
        yield at, branch


def _endings(dice: random.Random, count: int) -> list[Ending]:
    """
    Give each ending its share, at least once, in a random order; those that leave something to people come late.

    The last few orders are paid, but for what still waits for somebody at the end: one payment of which nobody knows,
    one order that nobody has confirmed yet, and a sum that is held back on a card.
    """
    shares = {ending: max(1, round(plan.share * count / QUOTA_OF)) for ending, plan in PLANS.items()}
    last = [Ending.PAID] * (LAST - len(WAITING_AT_THE_END))
    for ending in WAITING_AT_THE_END:
        shares[ending] -= 1
        last.insert(1, ending)
    special = [ending for ending, share in shares.items() for _ in range(share)]
    staying = [ending for ending in special if ending in STAYING]
    passing = [ending for ending in special if ending not in STAYING]
    passing += [Ending.PAID] * (count - len(special) - len(last))
    dice.shuffle(passing)
    late = [*passing[len(passing) * 2 // 3 :], *staying]
    dice.shuffle(late)
    return [*passing[: len(passing) * 2 // 3], *late, *last]


def _returns(dice: random.Random, orders: Sequence[Order], ends_at: datetime) -> Iterator[Return]:
    """Choose what is given back: small sums at once, large ones as other people decide, and one that waits for them."""
    paid = [order for order in orders[:-LAST] if order.ending is Ending.PAID]
    large = sorted((order for order in paid if order.money.minor >= REFUND_LIMIT), key=lambda one: one.at)
    small = [order for order in paid if order.money.minor < REFUND_LIMIT]
    recent = [order for order in large if order.at > ends_at - WAITS_SINCE]
    if recent:
        yield Return(recent[-1], ends_at - timedelta(minutes=dice.randint(40, 180)), Verdict.WAITING, DOUBLE)
    early = [order for order in large if order.at < ends_at - WAITS_SINCE]
    early.sort(key=lambda one: one.money.minor)
    chosen = early[-1:]  # the largest of all: several people approve it, one after the other
    chosen += dice.sample(early[:-1], min(len(early[:-1]), len(DECIDED) - 1))
    small = [order for order in small if order.at < ends_at - timedelta(hours=12)]
    chosen += dice.sample(small, min(len(small), max(1, round(RETURNED_SMALL * len(orders) / QUOTA_OF))))
    verdicts = [*DECIDED[: len(chosen)], *[Verdict.NOT_ASKED] * len(chosen)]
    for order, verdict in zip(chosen, verdicts, strict=False):
        asked_at = order.at + timedelta(minutes=dice.randint(25, 300))
        yield Return(order, asked_at, _verdict(order, verdict), dice.choice(REASONS))


def _verdict(order: Order, wanted: Verdict) -> Verdict:
    return wanted if order.money.minor >= REFUND_LIMIT else Verdict.NOT_ASKED


def _bill(dice: random.Random, at: datetime) -> tuple[str, Money]:
    """Draw what was ordered and what it costs, in whole tens of shillings."""
    hour = at.astimezone(NAIROBI).hour
    meal = "breakfast" if hour < BREAKFAST_ENDS else "lunch" if hour < LUNCH_ENDS else "dinner"
    if dice.random() < CATERING_SHARE:
        meal = "catering"
    low, high = DISHES[meal]
    cents = low + (high - low) * dice.betavariate(1.4, 4.5)
    money = Money(round(cents / 1000) * 1000, "KES")
    if meal == "catering":
        return f"Catering, {dice.randrange(20, 120, 5)} guests", money
    place = dice.choice(["table", "table", "table", "takeaway", "delivery"])
    where = f"table {dice.randint(1, 32)}" if place == "table" else place
    return f"{meal.capitalize()}, {where}", money
