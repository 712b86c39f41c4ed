"""Reading connected accounts, within what a caller may see."""

from uuid import UUID

from django.db.models import QuerySet

from apps.access.selectors import scope
from apps.disbursements.models import ConnectedAccount
from apps.disbursements.models.connected_account import ConnectedAccountQuerySet
from apps.kit import errors


def visible_to(caller: scope.Principal) -> ConnectedAccountQuerySet:
    """
    Return the connected accounts of the caller's branches, each with its party; a key sees those of its own application, a
    person those of all.
    """
    found = ConnectedAccount.objects.of_branches(scope.branch_ids(caller)).select_related("party")
    return found.of_applications(scope.application_ids(caller))


def get(caller: scope.Principal, account_id: UUID) -> ConnectedAccount:
    """Return one connected account; raise NotFound for one that is not visible to the caller."""
    account = visible_to(caller).filter(id=account_id).first()
    if account is None:
        raise errors.NotFound("There is no such connected account.")
    return account


def found_by(accounts: QuerySet[ConnectedAccount], term: str) -> QuerySet[ConnectedAccount]:
    """Return those whose party's name has this in it, or that the provider calls so; all of them for an empty term."""
    term = term.strip()
    by_name = accounts.filter(party__display_name__icontains=term)
    return (by_name | accounts.filter(ticket=term)) if term else accounts
