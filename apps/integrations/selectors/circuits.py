"""Reading the circuits of an account: which kinds of call are let through, and why others are not."""

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from apps.integrations.contracts import CallRole, call_kinds, kinds_of_role
from apps.integrations.contracts.traffic import CircuitFact
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


def stopped_ids(accounts: Iterable[ProviderAccount], *, now: datetime) -> set[UUID]:
    """
    Return the accounts through which no payer can be asked now; none while it cannot be told how circuits stand.

    What takes money by a saved method, without its payer, says nothing of that: such a payment has one account, and waits at its gate.
    """
    needed = kinds_of_role(CallRole.TOKEN) | kinds_of_role(CallRole.ASKING)
    names = {
        name(account.id, kind): account.id
        for account in accounts
        for kind in needed.intersection(call_kinds(account.provider))
    }
    standing = circuits.look(names)
    return {names[found] for found, circuit in standing.items() if not circuit.admit(now.timestamp())[0]}
