"""Exchange rates for tests, as somebody would have recorded them, and exchanges between bank accounts."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, AccountRole, Booked
from apps.ledger.services import exchanges, rates
from apps.ledger.services.exchanges import Order
from apps.ledger.services.rates import Recorded
from tests.factories import access, ledger

NOW = datetime(2026, 11, 24, 7, 41, tzinfo=UTC)
MORNING = NOW - timedelta(hours=2)
_numbers = count(1)


def office() -> None:
    """Make what every organisation has: a head office, and the application that stands for the portal."""
    access.head_office()
    access.portal()


def rate(text: str = "129.5", base: str = "USD", quote: str = "KES", **facts: Any) -> Recorded:
    """Record what one unit of ``base`` is worth in ``quote``."""
    return rates.record(
        **{
            "base": base,
            "quote": quote,
            "rate": Decimal(text),
            "as_of": MORNING,
            "source": "CBK",
            "actor": SYSTEM,
            "now": NOW,
            **facts,
        }
    )


def bank(currency: str, branch_id: UUID, owner_id: UUID | None = None) -> AccountRef:
    """Name the branch's account with a bank in a currency."""
    return ledger.ref(AccountRole.BANK_BALANCE, branch_id, currency, owner_id=owner_id)


def order(give: Money, currency: str, branch_id: UUID, **facts: Any) -> Order:
    """Order to give a sum out of the bank account in its currency for another one."""
    return Order(
        **{
            "key": f"order-{next(_numbers)}",
            "give": give,
            "source": bank(give.currency, branch_id),
            "target": bank(currency, branch_id),
            **facts,
        }
    )


def exchange(give: Money, currency: str, branch_id: UUID, **facts: Any) -> Booked:
    now = facts.pop("now", NOW)
    return exchanges.exchange(order=order(give, currency, branch_id, **facts), actor=SYSTEM, now=now)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def kes(minor: int) -> Money:
    return Money(minor, "KES")
