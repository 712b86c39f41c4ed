"""The story of the month: every order of two restaurants with its time, payer and ending, all of it from one seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
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

WAITING_AT_THE_END = (Ending.NEVER_KNOWN, Ending.FORGOTTEN)
BREAKFAST_ENDS, LUNCH_ENDS = 11, 16
CATERING_SHARE = 0.03
DISHES = {
    "breakfast": (28_000, 120_000),
    "lunch": (45_000, 340_000),
    "dinner": (90_000, 980_000),
    "catering": (1_500_000, 9_500_000),
}
"""The smallest and the largest bill, in cents."""


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
class Story:
    """The orders in the order of time, and who pays regularly with how many seconds of thought."""

    starts_at: datetime
    ends_at: datetime
    regulars: dict[Customer, int]
    orders: tuple[Order, ...]


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
    return Story(starts_at, ends_at, regulars, tuple(orders))


def wrong_sum(order: Order) -> Money:
    """Return what somebody pays who mistakes the sum: a tenth less, in whole shillings."""
    return Money(order.money.minor * 9 // 10 // 100 * 100, order.money.currency)


def _moments(
    dice: random.Random, starts_at: datetime, ends_at: datetime, count: int
) -> Iterator[tuple[datetime, str]]:
    """Draw instants from the hours of both restaurants, busier ones more often."""
    hour = starts_at.replace(minute=0, second=0, microsecond=0)
    slots, weights = [], []
    while hour < ends_at:
        local = hour.astimezone(NAIROBI)
        for branch in (WESTLANDS, CENTRE):
            slots.append((hour, branch))
            weights.append(HOURS[branch][local.hour] * WEEKDAYS[branch][local.weekday()])
        hour += timedelta(hours=1)
    taken: set[datetime] = set()
    while len(taken) < count:
        slot, branch = dice.choices(slots, weights)[0]
        at = slot + timedelta(seconds=dice.randrange(3600))
        if starts_at < at < ends_at and at not in taken:
            taken.add(at)
            yield at, branch


def _endings(dice: random.Random, count: int) -> list[Ending]:
    """
    Give each ending its share, at least once, in a random order.

    The last few orders are paid, but for what still waits for somebody at the end: one payment of which nobody knows,
    and one order that nobody has confirmed yet.
    """
    shares = {ending: max(1, round(plan.share * count / QUOTA_OF)) for ending, plan in PLANS.items()}
    last = [Ending.PAID] * (LAST - len(WAITING_AT_THE_END))
    for ending in WAITING_AT_THE_END:
        shares[ending] -= 1
        last.insert(1, ending)
    special = [ending for ending, share in shares.items() for _ in range(share)]
    endings = [*special, *[Ending.PAID] * (count - len(special) - len(last))]
    dice.shuffle(endings)
    return endings + last


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
