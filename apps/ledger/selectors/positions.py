"""
Currency positions: how much of a currency a branch has bought beyond what it has sold, and what that cost.

The position account of a currency mirrors what exchanges moved: credited when the currency comes in, debited when it goes
out. Beside it stands its counter-value, an account in the functional currency with the same owner: what was paid for the
position, by weighted average, so that book cost is a balance like any other and not a sum to be worked out.
"""

from dataclasses import dataclass
from fractions import Fraction
from uuid import NAMESPACE_URL, UUID, uuid5

from apps.ledger.contracts import AccountRef, AccountRole
from apps.ledger.models import Account

CURRENCY_URN = "urn:treasury:currency:"


@dataclass(frozen=True, slots=True)
class Position:
    """
    Minor units of a currency, and of the functional currency what they cost; of one sign, or both nothing.

    Below zero the branch has sold more than it bought; the cost is then what it got.
    """

    units: int = 0
    cost: int = 0

    def moved(self, units: int, value: int) -> tuple["Position", int]:
        """
        Return the position after ``units`` came in (or, below zero, went out) for ``value``, and the gain of it.

        What makes the position smaller goes at its average cost, half a unit to the even one, and what is left over or
        lacks against its share of ``value`` is the gain. What makes it larger, or turns it round, enters at ``value``. A cost
        that has no position any more, as the reversal of an earlier exchange may leave it, is gained or lost first.
        """
        if self.cost and self.units * self.cost <= 0:
            after, gain = Position(self.units).moved(units, value)
            return after, gain - self.cost
        sign = 1 if units > 0 else -1
        closing = min(abs(units), abs(self.units)) if self.units * units < 0 else 0
        if not closing:
            return Position(self.units + units, self.cost + sign * value), 0
        released = round(Fraction(abs(self.cost) * closing, abs(self.units)))
        share = round(Fraction(value * closing, abs(units)))
        cost = self.cost + sign * (released + value - share)
        return Position(self.units + units, cost), sign * (released - share)


def owner_of(currency: str) -> UUID:
    """Return what the accounts of a currency's position and revaluation belong to."""
    return uuid5(NAMESPACE_URL, f"{CURRENCY_URN}{currency}")


def account(currency: str, *, branch_id: UUID) -> AccountRef:
    """Name the account that mirrors what exchanges moved of a currency."""
    return AccountRef(
        AccountRole.FX_POSITION, currency, branch_id, owner_of(currency), f"Position in {currency}"
    )


def counter_account(currency: str, *, functional: str, branch_id: UUID) -> AccountRef:
    """Name the account, in the functional currency, of what a currency's position cost."""
    name = f"Position in {currency}, at cost"
    return AccountRef(AccountRole.FX_POSITION, functional, branch_id, owner_of(currency), name)


def of(currency: str, *, functional: str, branch_id: UUID) -> Position:
    """Return a branch's position in a currency."""
    refs = (
        account(currency, branch_id=branch_id),
        counter_account(currency, functional=functional, branch_id=branch_id),
    )
    nets = {found.ref: int(found.net) for found in Account.objects.matching(refs).with_net()}
    return Position(units=-nets.get(refs[0], 0), cost=nets.get(refs[1], 0))
