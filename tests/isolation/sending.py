"""What a writing endpoint of the matrix is sent: what all deeds share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from apps.kit import ids
from tests.factories import parties
from tests.isolation.twins import CANARY

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
"""When everything in the matrix is asked: acme is a test organisation, so its ledger takes any time."""
REFERENCE = f"{CANARY['acme']}-deed"


@dataclass(frozen=True, slots=True)
class Sent:
    """One request: the body, the row in the path, and who made the key where that matters."""

    body: Mapping[str, Any] = field(default_factory=dict)
    row: UUID | None = None
    issuer: UUID | None = None


type Deed = Callable[[], Sent]


def says(**body: Any) -> Deed:
    """Return the deed that sends a body about no row, or about the one that the twins have."""
    return lambda: Sent(body)


NOTHING = says()


def kes(amount: str = "10.00") -> dict[str, str]:
    return {"amount": amount, "currency": "KES"}


def of_party(**facts: Any) -> str:
    return ids.encode("pty", parties.party(display_name=CANARY["acme"], **facts).id)
