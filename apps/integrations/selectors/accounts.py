"""Reading provider accounts."""

from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.access.selectors import scope
from apps.integrations.contracts import ProviderAccountMissing
from apps.integrations.models import ProviderAccount
from apps.kit.compiled import Compiled

ALIKE = ("provider", "environment", "short_code")
"""What accounts have in common that are one at the provider."""
_BY_ID = Compiled(lambda account_id: ProviderAccount.objects.filter(id=account_id), UUID)


def get(account_id: UUID) -> ProviderAccount:
    """Return one account, enabled or not; raise ProviderAccountMissing. For internal use: no caller's scope is asked."""
    account = _BY_ID.first(account_id)
    if account is None:
        raise ProviderAccountMissing("There is no provider account with that id.")
    return account


_SERVING = Compiled(
    lambda provider, currency, branch_id: (
        ProviderAccount.objects.collecting(provider=provider, currency=currency)
        .filter(Q(branch_id=branch_id) | Q(branch__is_head_office=True))
        .order_by("id")
    ),
    str,
    str,
    UUID,
)


def for_collection(*, branch_id: UUID, provider: str, currency: str) -> ProviderAccount:
    """
    Return the enabled account that collects for a branch where no rule chooses: its own, else that of head office, the oldest.

    Raises ProviderAccountMissing when neither has one.
    """
    found = serving(branch_id=branch_id, provider=provider, currency=currency)
    if not found:
        raise ProviderAccountMissing(
            f"No enabled {provider} account in {currency} serves this branch. Add one under Provider accounts."
        )
    return found[0]


def serving(*, branch_id: UUID, provider: str, currency: str) -> list[ProviderAccount]:
    """Return the enabled accounts that may collect for a branch: its own, then head office's, each the oldest first."""
    found = _SERVING.all(provider, currency, branch_id)
    return sorted(found, key=lambda account: account.branch_id != branch_id)


def of_token(token: str) -> ProviderAccount | None:
    """Return the account that was told this token for what comes unasked, or None."""
    return ProviderAccount.objects.filter(callback_token=token).first()


def alike(account: ProviderAccount) -> QuerySet[ProviderAccount]:
    """
    Return the accounts that are one at the provider: where it has one for every currency we have one for each, and a store
    is one with its tills.
    """
    return ProviderAccount.objects.filter(**{name: getattr(account, name) for name in ALIKE})


def alike_by_id(account_id: UUID) -> QuerySet[ProviderAccount]:
    """Return what ``alike`` does for the account with this id, which is read by the same query."""
    named = {name: OuterRef(name) for name in ALIKE}
    return ProviderAccount.objects.filter(Exists(ProviderAccount.objects.filter(id=account_id, **named)))


def are_alike(one: ProviderAccount, other: ProviderAccount) -> bool:
    """Say whether two accounts are one at the provider; see ``alike``."""
    return all(getattr(one, name) == getattr(other, name) for name in ALIKE)


def is_listed(account: ProviderAccount) -> bool:
    """
    Say whether the list of an account's money is to be read: that of a disabled one only as long as no account that is one with
    it at the provider is enabled, whose money it would take.
    """
    if not account.is_pull_enabled:
        return False
    return account.is_enabled or not alike(account).filter(is_enabled=True).exists()


def of_till(account: ProviderAccount, number: str) -> ProviderAccount | None:
    """Return the account of the same store as this one whose till has the number, or None."""
    return alike(account).filter(till_number=number).first()


def watched_ids() -> list[UUID]:
    """Return the accounts whose provider is asked from time to time what it holds, the oldest first."""
    return list(ProviderAccount.objects.watched().order_by("id").values_list("id", flat=True))


def visible_to(caller: scope.Principal) -> QuerySet[ProviderAccount]:
    """Return the accounts of the branches that the caller may see."""
    return ProviderAccount.objects.of_branches(scope.branch_ids(caller))


def everything() -> QuerySet[ProviderAccount]:
    """Return all accounts, each with its branch, the oldest first. For internal use: no caller's scope is asked."""
    return ProviderAccount.objects.select_related("branch").order_by("id")
