"""Accounts with their balances, within the caller's branches."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Count, Q, Sum

from apps.access.selectors import scope
from apps.access.selectors.scope import Principal
from apps.kit import errors
from apps.kit.models import MinorField
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole, AccountStatus, AccountType, Direction, Layer
from apps.ledger.models import Account, Entry
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


@dataclass(frozen=True, slots=True)
class Movement:
    """What moved on an account from the start of ``since``: opening + debits - credits = closing, all as net."""

    since: date
    opening: Money
    debits: Money
    credits: Money
    closing: Money
    debit_count: int
    credit_count: int


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


def movement(account: AccountBalance, *, since: date) -> Movement:
    """Sum the entries of an account whose effective date is ``since`` or later; one query on an index."""
    posted = Entry.objects.filter(account_id=account.id, layer=Layer.POSTED.value, effective_date__gte=since)
    debits, credits_ = Q(direction=Direction.DEBIT.value), Q(direction=Direction.CREDIT.value)
    sums = posted.aggregate(
        debits=Sum("amount", filter=debits, default=0, output_field=MinorField()),
        credits=Sum("amount", filter=credits_, default=0, output_field=MinorField()),
        debit_count=Count("seq", filter=debits),
        credit_count=Count("seq", filter=credits_),
    )
    debited, credited = Money(sums["debits"], account.currency), Money(sums["credits"], account.currency)
    return Movement(
        since=since,
        opening=account.net - debited + credited,
        debits=debited,
        credits=credited,
        closing=account.net,
        debit_count=sums["debit_count"],
        credit_count=sums["credit_count"],
    )


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
    )
