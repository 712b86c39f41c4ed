"""Balances: live from the balance rows, and at a date as known at an instant; never summed over a history of entries."""

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta

from apps.access.selectors.scope import Principal
from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, AccountRole
from apps.ledger.models import Account, Balance
from apps.ledger.selectors import accounts, point_in_time
from apps.ledger.selectors.accounts import AccountBalance
from apps.ledger.selectors.point_in_time import NOTHING, Asked, Totals

SETTLING = timedelta(seconds=60)


def of(ref: AccountRef) -> Money:
    """Return the balance on the account's normal side; zero when the account has not been opened."""
    account = Account.objects.matching([ref]).with_net().first()
    if account is None:
        return Money.zero(ref.currency)
    return Money(account.net * account.normal, ref.currency)


def available(ref: AccountRef) -> Money:
    """Return the balance less what holds promise of it; below zero where more has left than was there."""
    account = Account.objects.matching([ref]).first()
    if account is None:
        return Money.zero(ref.currency)
    rows = Balance.objects.filter(account_id=account.id)
    net = sum(account.normal * int(row.posted_debits - row.posted_credits) for row in rows)
    held = sum(int(row.pending_debits if account.normal < 0 else row.pending_credits) for row in rows)
    return Money(net - held, ref.currency)


def by_role(role: AccountRole, caller: Principal | None = None) -> list[AccountBalance]:
    """Return the accounts of one role with their balances, within the caller's branches: one query."""
    return accounts.with_balances(caller, role=role)


def at(
    refs: Iterable[AccountRef], *, as_of: date, known_at: datetime | None = None
) -> dict[AccountRef, Money]:
    """
    Return the balances at the end of a day on the normal sides; zero for an account that has not been opened.

    ``known_at`` leaves out what was posted after that instant; None is all that is posted by now. The same two times
    give the same answer for ever, once ``known_at`` ``is_settled``.
    """
    wanted = list(refs)
    found = {account.ref: account for account in Account.objects.matching(wanted)} if wanted else {}
    stood = totals([account.id for account in found.values()], as_of=as_of, known_at=known_at)
    return {
        ref: Money(stood.get(found[ref].id, NOTHING).net * found[ref].normal, ref.currency)
        if ref in found
        else Money.zero(ref.currency)
        for ref in wanted
    }


def totals(
    account_ids: Collection[int] | None,
    *,
    as_of: date,
    known_at: datetime | None = None,
    since: date | None = None,
) -> dict[int, Totals]:
    """Return posted debits and credits by account (None: of all) to the end of ``as_of``, from ``since`` if it is given."""
    return point_in_time.read(Asked(account_ids=account_ids, as_of=as_of, known_at=known_at, since=since))


def is_settled(known_at: datetime, *, now: datetime) -> bool:
    """Whether nothing can still be committed under an instant of posting up to ``known_at``: it is a minute old."""
    return now - known_at >= SETTLING
