"""The transfers that transactions of the ledger name as their source."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from apps.disbursements.models import Transfer
from apps.disbursements.postings import SOURCE
from apps.kit import ids
from apps.ledger.selectors.subjects import Cause, Subject, declare_subjects


def subjects(causes: Sequence[Cause]) -> Mapping[UUID, Sequence[Subject]]:
    """Return, for each booking, the transfer and the connected account that it went to: one query."""
    rows = Transfer.objects.select_related("connected_account__party")
    found = rows.in_bulk({own.source_id for own in causes})
    return {own.uid: _of(found[own.source_id]) for own in causes if own.source_id in found}


def _of(transfer: Transfer) -> Sequence[Subject]:
    account = transfer.connected_account
    status = transfer.status.lower().replace("_", " ")
    text = f"Transfer {ids.encode('tr', transfer.id)}, {transfer.money}, {status}"
    return (
        Subject("transfer", transfer.id, text, transfer.created_at),
        Subject("connected_account", account.id, f"Account {account} of {account.party}", account.created_at),
    )


declare_subjects(SOURCE, subjects)
