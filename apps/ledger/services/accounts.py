"""Accounts: opened by role, limited, frozen, closed."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

from django.db import connection, transaction

from apps.approvals.contracts import Named
from apps.audit.services import records
from apps.kit import errors, ids, money
from apps.kit.actors import Actor
from apps.kit.models import is_storable
from apps.kit.money import Money
from apps.ledger.contracts import CHART, AccountRef, AccountStatus, AccountType, RoleLine
from apps.ledger.models import Account, Balance, Book
from apps.ledger.services import refusals
from apps.tenancy.contracts import Region
from apps.tenancy.selectors import organisations
from apps.tenancy.services import brandings

OBJECT = "ledger_account"
LINE_OBJECT = "ledger_chart"
"""What the audit trail calls accounts and lines of the chart."""
OPEN_ACCOUNT = "SELECT ledger_open_account(%s, %s, %s, %s, %s, %s, %s::smallint, %s, %s, %s, %s, %s, %s::smallint, %s, %s, %s, %s, %s::smallint)"


OWN_LINE = RoleLine(0, 1, AccountType.MEMO, "")
"""What is handed over for GENERAL, whose line of the chart already says everything."""


@transaction.atomic
def ensure(*, ref: AccountRef, now: datetime, name: str = "") -> Account:
    """
    Return the account that ``ref`` names, opened if need be under ``name``, ``ref.name`` or the role's own name.

    The organisation's first account opens its book with the organisation's base currency, zone and test mode, for good:
    the book of a test organisation takes postings of any time, every other one only within 5 minutes of the database's
    clock. Raises CurrencyUnknown or ExponentChanged. Opening takes a lock that is held until the transaction ends.
    """
    account = Account.objects.matching([ref]).first()
    return account or _open(ref, name=name, now=now)


def resolve(*, refs: Collection[AccountRef], now: datetime) -> dict[AccountRef, Account]:
    """Return the account of each reference with one query; the missing ones are opened."""
    return open_missing(refs, find(refs), now=now)


def find(refs: Collection[AccountRef]) -> dict[AccountRef, Account]:
    """Return those of the named accounts that exist, with one query."""
    return {account.ref: account for account in Account.objects.matching(refs)}


def name_of(number: int) -> str:
    """Return how the account of this number is called."""
    account = Account.objects.filter(id=number).first()
    return str(account) if account else refusals.unnamed(number)


def open_missing(
    refs: Collection[AccountRef], found: Mapping[AccountRef, Account], *, now: datetime
) -> dict[AccountRef, Account]:
    """Return the account of each reference; open those that were not found, in one order for all callers."""
    missing = sorted(
        set(refs) - found.keys(),
        key=lambda ref: (ref.role, str(ref.branch_id), ref.currency, str(ref.owner_id)),
    )
    return {**found, **{ref: _open(ref, name="", now=now) for ref in missing}}


def named(found: Iterable[Account]) -> Iterator[Named]:
    """Produce these accounts and their lines of the chart as a request for approval names them."""
    for account in found:
        yield Named(OBJECT, str(account.uid))
        yield Named(LINE_OBJECT, account.line.code)


@transaction.atomic
def set_limits(
    *, ref: AccountRef, net_floor: Money | None, net_ceiling: Money | None, actor: Actor, now: datetime
) -> Account:
    """
    Bind the account's net (debits less credits) from now on; None lifts a limit.

    ``net_floor`` zero keeps an asset from going below nothing; ``net_ceiling`` zero keeps a liability from being
    overdrawn. A limit beyond the present balance is allowed: it forbids only what moves further away.
    """
    account = ensure(ref=ref, now=now)
    limits = [_minor(ref, net_floor), _minor(ref, net_ceiling)]
    before = Balance.objects.filter(account=account).values_list("net_floor", "net_ceiling")[0]
    with refusals.translated(), connection.cursor() as cursor:
        cursor.execute("SELECT ledger_set_limits(%s, %s, %s)", [account.id, *limits])
    records.write(
        action="ledger.account_limited",
        object_type=OBJECT,
        object_id=str(account.uid),
        branch=account.branch_id,
        actor=actor,
        now=now,
        changes={
            "net_floor": [_text(before[0]), _text(limits[0])],
            "net_ceiling": [_text(before[1]), _text(limits[1])],
        },
    )
    return account


def freeze(*, ref: AccountRef, reason: str, actor: Actor, now: datetime) -> Account:
    """Refuse postings to the account (AccountFrozen) until ``unfreeze``."""
    return _set_status(ref, AccountStatus.FROZEN, reason=reason, actor=actor, now=now)


def unfreeze(*, ref: AccountRef, reason: str, actor: Actor, now: datetime) -> Account:
    """Take postings again. Raises AccountClosed for a closed account."""
    return _set_status(ref, AccountStatus.OPEN, reason=reason, actor=actor, now=now)


def close(*, ref: AccountRef, reason: str, actor: Actor, now: datetime) -> Account:
    """Refuse postings for ever (AccountClosed). Raises AccountNotEmpty unless debits equal credits."""
    return _set_status(ref, AccountStatus.CLOSED, reason=reason, actor=actor, now=now)


@transaction.atomic
def _set_status(
    ref: AccountRef, status: AccountStatus, *, reason: str, actor: Actor, now: datetime
) -> Account:
    account = Account.objects.matching([ref]).first()
    if account is None:
        raise refusals.AccountUnknown("There is no such account.")
    with refusals.translated(lambda _: str(account)), connection.cursor() as cursor:
        cursor.execute("SELECT ledger_set_status(%s, %s)", [account.id, status.value])
    records.write(
        action=f"ledger.account_{status.lower()}",
        object_type=OBJECT,
        object_id=str(account.uid),
        branch=account.branch_id,
        actor=actor,
        now=now,
        changes={"status": [account.status, status.value]},
        reason=reason,
    )
    return Account.objects.get(id=account.id)


def _open(ref: AccountRef, *, name: str, now: datetime) -> Account:
    line = CHART.get(ref.role, OWN_LINE)
    organisation = organisations.current()
    region = _region(organisation)
    called = name or ref.name
    if not is_storable(called):
        message = "A name holds a NUL or half a surrogate pair."
        raise refusals.DraftInvalid(
            message, errors=[errors.FieldError("/name", refusals.DraftInvalid.code, message)]
        )
    with refusals.translated(), connection.cursor() as cursor:
        cursor.execute(
            OPEN_ACCOUNT,
            [
                ids.new(),
                ref.role.value,
                line.owner.value,
                ref.owner_id,
                ref.branch_id,
                ref.currency,
                money.exponent(ref.currency),
                line.type.value,
                line.name,
                called,
                line.code,
                line.width,
                line.shards,
                now,
                region.base_currency,
                region.time_zone,
                organisation.is_test,
                region.fiscal_year_start,
            ],
        )
        (account_id,) = cursor.fetchone()
    return Account.objects.get(id=account_id)


def _region(organisation: organisations.Organisation) -> Region:
    """Return what the book is opened in, which is held until it is open; a book that is open stays as it is."""
    if Book.objects.exists():
        return Region(organisation.base_currency, organisation.time_zone, organisation.fiscal_year_start)
    return brandings.hold_region(organisation_id=organisation.id)


def _minor(ref: AccountRef, limit: Money | None) -> int | None:
    if limit is None:
        return None
    if limit.currency != ref.currency:
        raise money.CurrencyMismatch(f"A limit of this account is in {ref.currency}.")
    return limit.minor


def _text(minor: object) -> str | None:
    return None if minor is None else str(minor)
