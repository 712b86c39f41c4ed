"""
Carrying values: what foreign money on an account was worth, in the functional currency, when it came and went.

What an exchange moved is worth what the position's counter-value says; everything else what the rate of its day says.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from apps.kit.money import Money
from apps.ledger.contracts import AccountRole, AccountType
from apps.ledger.selectors import rates

BALANCE_SHEET = frozenset({AccountType.ASSET, AccountType.LIABILITY})
NOT_MONETARY = frozenset({AccountRole.FX_POSITION, AccountRole.FX_REVALUATION, AccountRole.GENERAL})
"""
A position mirrors the money that stands elsewhere: to value both would value it twice. Of an account that finance opened
for itself nobody knows whether money stands on it.
"""


@dataclass(frozen=True, slots=True)
class Holding:
    """Foreign money on one account: its net (debits less credits), and what that was worth as it came and went."""

    account_id: int
    code: str
    branch_id: UUID
    net: Money
    carried: Money


class Place(NamedTuple):
    """An account that foreign money stands on."""

    account_id: int
    code: str
    branch_id: UUID
    currency: str


# Of each transaction that passed a currency's position: how much came in, and by how much the position's cost changed.
PASSED = """
    SELECT e.transaction_id, a.currency, -sum(e.amount * e.direction) AS units,
      (SELECT coalesce(sum(c.amount * c.direction), 0) FROM ledger_entry c JOIN ledger_account b ON b.id = c.account_id
       WHERE c.transaction_id = e.transaction_id AND c.layer = 0 AND b.role = 'FX_POSITION'
         AND b.owner_id = a.owner_id AND b.branch_id = a.branch_id AND b.currency = %(functional)s) AS cost
    FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
    WHERE a.role = 'FX_POSITION' AND a.currency <> %(functional)s AND e.layer = 0 AND e.effective_date <= %(on)s
    GROUP BY e.transaction_id, a.currency, a.owner_id, a.branch_id
    HAVING sum(e.amount * e.direction) <> 0"""

MOVED = f"""
    WITH passed AS MATERIALIZED ({PASSED})
    SELECT a.id, a.code, a.branch_id, a.currency, e.effective_date, sum(e.amount * e.direction), p.units, p.cost
    FROM ledger_account a
    JOIN ledger_entry e ON e.account_id = a.id AND e.layer = 0 AND e.effective_date <= %(on)s
    LEFT JOIN passed p ON p.transaction_id = e.transaction_id AND p.currency = a.currency
    WHERE a.currency <> %(functional)s AND a.type = ANY (%(types)s) AND NOT a.role = ANY (%(but)s)
    GROUP BY a.id, a.code, a.branch_id, a.currency, e.effective_date, p.transaction_id, p.units, p.cost
    ORDER BY a.code, e.effective_date, p.transaction_id"""  # noqa: S608 (of constants)


def holdings(*, on: date, now: datetime) -> list[Holding]:
    """
    Return what stood on each monetary account in a foreign currency at the end of a day, in the order of the chart.

    Raises RateMissing or RateStale for a day on which something moved and no rate is known by ``now``: none is guessed.
    """
    functional = rates.functional_currency()
    nets: dict[Place, int] = defaultdict(int)
    carried: dict[Place, int] = defaultdict(int)
    known: dict[str, rates.History] = {}
    zone = rates.zone()
    for place, day, moved, passed in _movements(functional, on):
        nets[place] += moved
        if passed is not None:
            carried[place] += round(passed)
        elif moved:
            if place.currency not in known:
                known[place.currency] = rates.History.of(place.currency, functional, now=now)
            rate = known[place.currency].at(rates.end_of(day, zone))
            carried[place] += rate.nearest(Money(moved, place.currency)).minor
    return [
        Holding(
            place.account_id,
            place.code,
            place.branch_id,
            Money(net, place.currency),
            Money(carried[place], functional),
        )
        for place, net in nets.items()
        if net or carried[place]
    ]


def _movements(functional: str, on: date) -> Iterator[tuple[Place, date, int, Fraction | None]]:
    """Yield account, day, what moved, and what that was worth where it passed a position."""
    facts: dict[str, Any] = {
        "functional": functional,
        "on": on,
        "types": [kind.value for kind in BALANCE_SHEET],
        "but": [role.value for role in NOT_MONETARY],
    }
    with connection.cursor() as cursor:
        cursor.execute(MOVED, facts)
        for id_, code, branch_id, currency, day, moved, units, cost in cursor.fetchall():
            passed = None if units is None else Fraction(int(moved)) * int(cost) / int(units)
            yield Place(id_, code, branch_id, currency), day, int(moved), passed
