"""How orders end: what the payer or the rail does, how often in a month, and what the simulator is told of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Action = Mapping[str, object]


class Ending(StrEnum):
    PAID = "paid"
    CANCELLED = "cancelled"
    WRONG_PIN = "wrong_pin"
    BALANCE_LOW = "balance_low"
    UNREACHABLE = "unreachable"
    SLOW = "slow"
    CALLBACK_LOST = "callback_lost"
    CALLBACK_TWICE = "callback_twice"
    CALLBACK_FIRST = "callback_first"
    ERROR_PAID = "error_paid"
    CUT_OFF_PAID = "cut_off_paid"
    VERIFIED = "verified"
    NEVER_KNOWN = "never_known"
    LATE = "late"
    WRONG_SUM = "wrong_sum"
    WITHDRAWN = "withdrawn"
    CALLED_OFF = "called_off"
    CONFIRMED_LATER = "confirmed_later"
    FORGOTTEN = "forgotten"
    CARD = "card"
    CARD_REFUSED = "card_refused"
    CARD_HELD = "card_held"
    DISPUTED = "disputed"
    DISPUTE_WON = "dispute_won"


@dataclass(frozen=True, slots=True)
class Plan:
    """
    How often an ending comes in 500 orders, what the simulator does, and after how many seconds that is done.

    ``looks`` are the seconds after the request at which the sweeps have something to find. ``card`` is used on the page of
    the provider where an order is paid by card.
    """

    share: int
    actions: tuple[Action, ...] = ()
    seconds: tuple[int, ...] = ()
    looks: tuple[int, ...] = ()
    card: str = ""


DAY = 24 * 3600
GOOD_CARD, REFUSED_CARD = "4242424242424242", "4000000000009995"
FIRST_QUERY = 26
"""A second after the first query of the plan is due."""


def _result(code: str, seconds: int) -> Action:
    return {"action": "result", "code": code, "ms": seconds * 1000}


PLANS: dict[Ending, Plan] = {
    Ending.CANCELLED: Plan(14, (_result("1032", 9),), seconds=(9,)),
    Ending.WRONG_PIN: Plan(9, (_result("2001", 14),), seconds=(14,)),
    Ending.BALANCE_LOW: Plan(11, (_result("1", 11),), seconds=(11,)),
    Ending.UNREACHABLE: Plan(12, (_result("1037", 60),), seconds=(60,)),
    Ending.SLOW: Plan(3, (_result("1019", 58),), seconds=(58,)),
    Ending.CALLBACK_LOST: Plan(
        6, (_result("0", 12), {"action": "drop_callback"}), seconds=(12,), looks=(FIRST_QUERY,)
    ),
    Ending.CALLBACK_TWICE: Plan(
        5, (_result("0", 10), {"action": "duplicate_callback", "n": 2, "spacing_ms": 3000}), seconds=(10, 13)
    ),
    Ending.CALLBACK_FIRST: Plan(4, ({"action": "callback_before_response"},), seconds=(1,)),
    Ending.ERROR_PAID: Plan(
        4, (_result("0", 16), {"action": "status", "status": 500, "processed": True}), seconds=(16,)
    ),
    Ending.CUT_OFF_PAID: Plan(3, (_result("0", 19), {"action": "reset", "processed": True}), seconds=(19,)),
    Ending.VERIFIED: Plan(
        3, (_result("0", 15), {"action": "reset", "processed": True}, {"action": "drop_callback"})
    ),
    Ending.NEVER_KNOWN: Plan(3, ({"action": "reset"},)),
    Ending.LATE: Plan(3, (_result("1037", 60), {"action": "late_success", "ms": 75_000}), seconds=(60, 135)),
    Ending.WRONG_SUM: Plan(5, (_result("0", 21),), seconds=(21,)),
    Ending.WITHDRAWN: Plan(3, (_result("1037", 60),), seconds=(60,)),
    Ending.CALLED_OFF: Plan(4),
    Ending.CONFIRMED_LATER: Plan(6, (_result("0", 18),), seconds=(18,)),
    Ending.FORGOTTEN: Plan(4, looks=(DAY + 60,)),
    Ending.CARD: Plan(36, seconds=(70,), card=GOOD_CARD),
    Ending.CARD_REFUSED: Plan(4, seconds=(55,), card=REFUSED_CARD),
    Ending.CARD_HELD: Plan(3, seconds=(80,), card=GOOD_CARD),
    Ending.DISPUTED: Plan(3, seconds=(65,), card=GOOD_CARD),
    Ending.DISPUTE_WON: Plan(3, seconds=(75,), card=GOOD_CARD),
}
"""Every ending but PAID, which all other orders have."""

OPEN_AT_FIRST = frozenset({Ending.CALLED_OFF, Ending.CONFIRMED_LATER, Ending.FORGOTTEN})
"""Orders that wait for somebody to confirm them."""
