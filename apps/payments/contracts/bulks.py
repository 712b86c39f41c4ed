"""What crosses the border of payments about many that are asked for together."""

from dataclasses import dataclass
from enum import StrEnum

from apps.kit.errors import DomainError
from apps.payments.contracts import NewIntent


class BulkItemStatus(StrEnum):
    """How far one of many payments that were asked for together has come. STOPPED: its bulk ended before it was come to."""

    WAITING = "WAITING"
    CREATED = "CREATED"
    REFUSED = "REFUSED"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True)
class BulkOrder:
    """One of many payments as it was read: what is asked for, or why it was refused at once."""

    reference: str
    request: NewIntent | None = None
    refusal: DomainError | None = None
