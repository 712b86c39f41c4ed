"""Exchange rates for tests, as somebody would have recorded them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from apps.kit.actors import SYSTEM
from apps.ledger.services import rates
from apps.ledger.services.rates import Recorded
from tests.factories import access

NOW = datetime(2026, 11, 24, 7, 41, tzinfo=UTC)
MORNING = NOW - timedelta(hours=2)


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
