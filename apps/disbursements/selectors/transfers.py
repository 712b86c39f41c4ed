"""Reading transfers, within what a caller may see, and what may still be transferred to a party."""

from uuid import UUID

from django.db.models import QuerySet

from apps.access.selectors import scope
from apps.disbursements import postings
from apps.disbursements.models import ConnectedAccount, Transfer, TransferReversal
from apps.disbursements.models.transfer import TransferQuerySet
from apps.kit import errors
from apps.kit.money import Money
from apps.ledger.selectors import balances


def visible_to(caller: scope.Principal) -> TransferQuerySet:
    """
    Return the transfers of the caller's branches, each with its connected account and party; a key sees those of its own
    application, a person those of all.
    """
    found = Transfer.objects.of_branches(scope.branch_ids(caller)).select_related("connected_account__party")
    return found.of_applications(scope.application_ids(caller))


def get(caller: scope.Principal, transfer_id: UUID) -> Transfer:
    """Return one transfer; raise NotFound for one that is not visible to the caller."""
    transfer = visible_to(caller).filter(id=transfer_id).first()
    if transfer is None:
        raise errors.NotFound("There is no such transfer.")
    return transfer


def reversals_of(transfer_id: UUID) -> QuerySet[TransferReversal]:
    """Return what was to be taken back of a transfer, the first part first. For internal use: no caller's scope is asked."""
    return TransferReversal.objects.filter(transfer_id=transfer_id).order_by("number")


def found_by(transfers: QuerySet[Transfer], term: str) -> QuerySet[Transfer]:
    """Return those with exactly this reference, or that the provider calls so; all of them for an empty term."""
    term = term.strip()
    return (transfers.filter(reference=term) | transfers.filter(ticket=term)) if term else transfers


def owed_to(account: ConnectedAccount) -> Money:
    """Return what may still be transferred to an account of what its branch owes the party; below zero where it owes us."""
    ref = postings.owed(account.party, currency=account.currency, branch_id=account.branch_id)
    return balances.available(ref)
