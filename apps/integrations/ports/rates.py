"""Exchange rates as a source publishes them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RateRow:
    """One whole unit of ``base`` is ``rate`` units of ``quote``, as the source said at ``as_of``. Nobody has judged it yet."""

    base: str
    quote: str
    rate: Decimal
    as_of: datetime


@dataclass(frozen=True, slots=True)
class RateSheet:
    """What a source publishes at once; ``unreadable`` counts the rows that could not be read."""

    rows: tuple[RateRow, ...]
    unreadable: int = 0


class RatePort(Protocol):
    """
    Read the exchange rates that a source publishes.

    Asking changes nothing, so every error may be tried again: ProviderDeclined is a refusal, ProviderUnavailable that no
    sheet was to be had, or none that can be read.
    """

    def fetch(self) -> RateSheet: ...
