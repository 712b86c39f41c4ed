"""What other people are asked about a transfer, where a rule wants that."""

from apps.approvals.contracts import Named, NewRequest
from apps.disbursements import events
from apps.disbursements.contracts import TRANSFER
from apps.disbursements.models import Transfer
from apps.kit import ids
from apps.parties.contracts import PARTY


def payload(transfer: Transfer) -> dict[str, str]:
    """Return everything that is approved of a transfer."""
    account = transfer.connected_account
    return {
        "transfer": ids.encode("tr", transfer.id),
        "connected_account": ids.encode("ca", account.id),
        "provider_reference": account.ticket,
        "party": ids.encode("pty", account.party_id),
        "amount": transfer.money.text,
        "currency": transfer.currency,
        "reference": transfer.reference,
    }


def names(transfer: Transfer) -> tuple[Named, ...]:
    """Return the rows that a request about a transfer is about: who made or changed one does not decide."""
    account = transfer.connected_account
    return (
        Named(events.TRANSFER, ids.encode("tr", transfer.id)),
        Named(events.CONNECTED_ACCOUNT, ids.encode("ca", account.id), made_by=account.created_by),
        Named(PARTY, str(account.party_id)),
    )


def asked(transfer: Transfer) -> NewRequest:
    """Return what other people are asked about a transfer."""
    account = transfer.connected_account
    return NewRequest(
        kind=TRANSFER,
        subject_id=transfer.id,
        subject_reference=ids.encode("tr", transfer.id),
        payload=payload(transfer),
        names=names(transfer),
        branch_id=transfer.branch_id,
        application_id=transfer.application_id,
        summary=f"Transfer {transfer.money} to {account.party}: {transfer.reference}",
        money=transfer.money,
        counterparty=ids.encode("pty", account.party_id),
    )
