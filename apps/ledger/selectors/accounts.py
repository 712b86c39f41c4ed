"""Accounts with their balances, within the caller's branches."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.access.selectors import scope
from apps.access.selectors.scope import Principal
from apps.kit import errors
from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, AccountRole, AccountStatus, AccountType
from apps.ledger.models import Account, Balance
from apps.ledger.models.account import AccountQuerySet


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """
    An account and what stands on it.

    ``balance`` grows on the account's normal side: for a liability it is credits less debits. ``net`` is debits less
    credits whatever the account is.
    """

    id: int
    uid: UUID
    code: str
    name: str
    role: AccountRole
    type: AccountType
    status: AccountStatus
    branch_id: UUID
    branch_name: str
    line_code: str
    line_name: str
    owner_id: UUID | None
    currency: str
    net: Money
    balance: Money
    is_debit_normal: bool
    is_sharded: bool
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """
    What binds an account now: what holds promise of it on each side, and its limits on its normal side (None: none).

    An account with several balance rows has no limits.
    """

    held_debits: Money
    held_credits: Money
    at_least: Money | None
    at_most: Money | None

    @property
    def is_held(self) -> bool:
        return not (self.held_debits.is_zero and self.held_credits.is_zero)


def visible_to(caller: Principal | None) -> AccountQuerySet:
    """Return the accounts of the caller's branches; None is the system and sees all."""
    branches = None if caller is None else scope.branch_ids(caller)
    return Account.objects.all() if branches is None else Account.objects.filter(branch_id__in=branches)


def with_balances(
    caller: Principal | None = None,
    *,
    role: AccountRole | None = None,
    branch_id: UUID | None = None,
    currency: str = "",
) -> list[AccountBalance]:
    """Return the accounts with their balances in the order of the chart: one query."""
    accounts = visible_to(caller)
    if role:
        accounts = accounts.filter(role=role)
    if branch_id:
        accounts = accounts.filter(branch_id=branch_id)
    if currency:
        accounts = accounts.filter(currency=currency)
    return [
        balance_of(account)
        for account in accounts.with_net().select_related("branch", "line").order_by("code")
    ]


def get(uid: UUID, caller: Principal | None = None) -> AccountBalance:
    """Return one account by its public id; raise NotFound for one that the caller may not see."""
    account = visible_to(caller).filter(uid=uid).with_net().select_related("branch", "line").first()
    if account is None:
        raise errors.NotFound("There is no such account.")
    return balance_of(account)


def by_code(code: str, caller: Principal | None = None) -> AccountBalance:
    """Return one account by its number; raise NotFound for one that the caller may not see."""
    uid = visible_to(caller).filter(code=code).values_list("uid", flat=True).first()
    if uid is None:
        raise errors.NotFound(f"There is no account {code!r}.")
    return get(uid, caller)


def within(branch_ids: Collection[UUID] | None) -> AccountQuerySet:
    """Return the accounts of these branches, in the order of their codes; None for all."""
    accounts = Account.objects.order_by("code")
    return accounts if branch_ids is None else accounts.filter(branch_id__in=branch_ids)


def held_at_providers(owner_ids: Collection[UUID]) -> dict[UUID, Money]:
    """Return what the books say that each of these provider accounts holds, over all branches; the caller's scope is not asked."""
    found: dict[UUID, Money] = {}
    holding = Account.objects.filter(role=AccountRole.PROVIDER_BALANCE, owner_id__in=list(owner_ids))
    for account in holding.with_net():
        net = Money(account.net, account.currency)
        found[account.owner_id] = found[account.owner_id] + net if account.owner_id in found else net
    return found


def named(uids: Iterable[UUID]) -> dict[UUID, Account]:
    """Return accounts by their public ids, for rows that name them: the caller's scope is not asked."""
    return {account.uid: account for account in Account.objects.filter(uid__in=list(uids))}


def standing(account: AccountBalance) -> Standing:
    """Return what is held on an account and how it is limited: one query on its balance rows."""
    rows = Balance.objects.filter(account_id=account.id).order_by("shard")
    found = list(rows.values_list("pending_debits", "pending_credits", "net_floor", "net_ceiling"))
    floor, ceiling = (
        None if net is None else Money(int(net), account.currency) for net in (found[0][2], found[0][3])
    )
    is_debit = account.is_debit_normal
    return Standing(
        held_debits=Money(sum(int(row[0]) for row in found), account.currency),
        held_credits=Money(sum(int(row[1]) for row in found), account.currency),
        at_least=floor if is_debit else ceiling and -ceiling,
        at_most=ceiling if is_debit else floor and -floor,
    )


def takes_postings(ref: AccountRef) -> bool:
    """Say whether something can be posted to an account: it is open, or is opened by what is posted first."""
    return not Account.objects.matching([ref]).exclude(status=AccountStatus.OPEN).exists()


def balance_of(account: Account) -> AccountBalance:
    """Return the contract of an account that was read ``with_net`` and with its branch and line."""
    net = Money(account.net, account.currency)
    return AccountBalance(
        id=account.id,
        uid=account.uid,
        code=account.code,
        name=account.name,
        role=AccountRole(account.role),
        type=AccountType(account.type),
        status=AccountStatus(account.status),
        branch_id=account.branch_id,
        branch_name=account.branch.name,
        line_code=account.line.code,
        line_name=account.line.name,
        owner_id=account.owner_id,
        currency=account.currency,
        net=net,
        balance=net if account.normal > 0 else -net,
        is_debit_normal=account.normal > 0,
        is_sharded=account.shards > 1,
        opened_at=account.opened_at,
    )
