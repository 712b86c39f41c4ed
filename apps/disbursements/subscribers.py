"""What disbursements does because of events of other apps."""

from uuid import UUID

from apps.approvals.contracts import Decided
from apps.disbursements.contracts import TRANSFER
from apps.disbursements.services import connected_accounts, transfers
from apps.events.contracts import Event
from apps.kit import clock, trail


def ask_about_account(event: Event) -> None:
    """Have the provider asked about the account of a party that a signed message of it is of."""
    connected_accounts.nudged(
        provider_account_id=UUID(event.data["provider_account_id"]),
        ticket=event.data["ticket"],
        code=event.data["code"],
        now=clock.now(),
    )


def execute_approval(event: Event) -> None:
    """Do what other people have decided of a transfer; other deeds are for others."""
    decided = Decided.read(event.data)
    if decided.kind == TRANSFER.name:
        with trail.under_approval(decided.request_id):
            transfers.decide(decided=decided, now=clock.now())
