"""Live balances: read from the balance rows, never summed over entries."""

from apps.access.selectors.scope import Principal
from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, AccountRole
from apps.ledger.models import Account
from apps.ledger.selectors import accounts
from apps.ledger.selectors.accounts import AccountBalance


def of(ref: AccountRef) -> Money:
    """Return the balance on the account's normal side; zero when the account has not been opened."""
    account = Account.objects.matching([ref]).with_net().first()
    if account is None:
        return Money.zero(ref.currency)
    return Money(account.net * account.normal, ref.currency)


def by_role(role: AccountRole, caller: Principal | None = None) -> list[AccountBalance]:
    """Return the accounts of one role with their balances, within the caller's branches: one query."""
    return accounts.with_balances(caller, role=role)
