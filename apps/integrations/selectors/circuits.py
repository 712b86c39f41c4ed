"""Reading the circuits of an account: which kinds of call are let through, and why others are not."""

from datetime import UTC, datetime
from uuid import UUID

from apps.integrations.contracts import CircuitFact, call_kinds
from apps.integrations.models import ProviderAccount
from apps.kit import circuits, schema


def name(account_id: UUID, kind: str) -> str:
    """Return what the circuit of an account's calls of one kind is called."""
    return f"{schema.name()}:{account_id}:{kind}"


def of(account: ProviderAccount) -> list[CircuitFact]:
    """Return the circuits of an account, one for each kind of call; none while it cannot be told how they stand."""
    names = {name(account.id, kind): kind for kind in call_kinds(account.provider)}
    return [
        CircuitFact(
            kind=names[found],
            position=circuit.position,
            failures=circuit.failures,
            since=datetime.fromtimestamp(circuit.changed_at, UTC) if circuit.changed_at else None,
        )
        for found, circuit in circuits.look(names).items()
    ]
