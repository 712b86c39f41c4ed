"""What disbursements does because of events of other apps."""

from uuid import UUID

from apps.approvals.contracts import Decided
from apps.disbursements.contracts import CONNECTED_ACCOUNT_VERDICT, TRANSFER, TRANSFER_VERDICT
from apps.disbursements.services import account_verdicts, connected_accounts, transfer_verdicts, transfers
from apps.events.contracts import Event
from apps.kit import clock, trail


def ask_provider(event: Event) -> None:
    """Have the provider asked about the account of a party, or the transfer to it, that a signed message is of."""
    account_id, code = UUID(event.data["provider_account_id"]), event.data["code"]
    now = clock.now()
    found = connected_accounts.nudged(
        provider_account_id=account_id, ticket=event.data["ticket"], code=code, now=now
    )
    if found is None:
        transfers.nudged(provider_account_id=account_id, code=code, now=now)


def execute_approval(event: Event) -> None:
    """Do what other people have decided: send or cancel a transfer, close an unknown one or an unknown account; other deeds are for others."""
    decided = Decided.read(event.data)
    with trail.under_approval(decided.request_id):
        if decided.kind == TRANSFER.name:
            transfers.decide(decided=decided, now=clock.now())
        elif decided.kind == TRANSFER_VERDICT.name:
            transfer_verdicts.decide(decided=decided, now=clock.now())
        elif decided.kind == CONNECTED_ACCOUNT_VERDICT.name:
            account_verdicts.decide(decided=decided, now=clock.now())
