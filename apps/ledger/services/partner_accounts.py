"""The accounts that a partner may post to over the API, and how a refusal names the field that it is about."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from uuid import UUID

from apps.access.contracts import Caller
from apps.access.selectors import branches
from apps.kit import errors
from apps.kit.money import CurrencyMismatch
from apps.ledger.contracts import AccountRef, AccountRole, AccountStatus
from apps.ledger.models import Account
from apps.ledger.selectors import accounts as stored
from apps.ledger.services import accounts
from apps.ledger.services.refusals import AccountUnknown
from apps.parties.selectors import parties

PARTY_ROLES = frozenset(
    {
        AccountRole.CUSTOMER_CREDIT,
        AccountRole.CUSTOMER_DEPOSIT,
        AccountRole.MERCHANT_PAYABLE,
        AccountRole.RIDER_PAYABLE,
    }
)
"""What is owed to a party: a partner may post to those of the parties that it sees."""
PARTNER_ROLES = PARTY_ROLES | {AccountRole.GENERAL}
NAME_MAX = 120


class AccountNotPostable(errors.Forbidden):
    """A partner may not post to accounts of this role, or of a party that is not its own."""

    code = "ledger_account_not_postable"
    title = "Account not open to partners"


@dataclass(frozen=True, slots=True)
class Named:
    """
    An account as a partner names it: by its id, or by role, party and branch; the currency is that of the sum.

    ``pointer`` is where the request names it, ``sum_pointer`` where it names the sum.
    """

    pointer: str
    sum_pointer: str
    currency: str
    account_id: UUID | None = None
    role: AccountRole | None = None
    owner_id: UUID | None = None
    branch_id: UUID | None = None


@contextmanager
def naming(pointer: str, field: str = "") -> Iterator[None]:
    """Let a refusal name its field: below ``pointer`` what it names itself, else ``field``."""
    try:
        yield
    except errors.DomainError as refusal:
        refusal.errors = tuple(
            replace(one, pointer=f"{pointer}{one.pointer}") for one in refusal.errors
        ) or _field(pointer + field, refusal)
        raise


def name_sum(refusal: errors.DomainError, field: str) -> None:
    """Let a refusal of a leg that the request does not write, for it names one sum, name that sum."""
    first = next(iter(refusal.errors), None)
    if first is None or first.pointer.startswith("/legs"):
        refusal.errors = _field(field, refusal)


def resolve(named: Sequence[Named], caller: Caller) -> list[AccountRef]:
    """
    Return the account of each name, in a few queries.

    A partner posts to GENERAL accounts of its branches by their id, and to ``PARTY_ROLES`` of parties that it sees; an
    account of a party is opened when something is first posted to it. Raises AccountUnknown, AccountNotPostable,
    BranchForbidden, BranchUnknown, CurrencyMismatch, each with its field.
    """
    wanted = [one.account_id for one in named if one.account_id]
    seen = {account.uid: account for account in stored.visible_to(caller).filter(uid__in=wanted)}
    owners = {one.owner_id for one in named if one.owner_id} | {one.owner_id for one in seen.values()}
    own = dict(
        parties.visible_to(caller)
        .filter(id__in=owners - {None})
        .prefetch_related(None)
        .values_list("id", "display_name")
    )
    within: dict[UUID | None, UUID] = {}
    return [_by_id(one, seen, own) if one.account_id else _by_role(one, own, caller, within) for one in named]


def name_shut(refusal: errors.DomainError, named: Sequence[Named], refs: Sequence[AccountRef]) -> None:
    """Let a refusal of a frozen or closed account name where the request names that account."""
    found = accounts.find(set(refs))
    for one, ref in zip(named, refs, strict=True):
        account = found.get(ref)
        if account is not None and account.status != AccountStatus.OPEN:
            field = "account_id" if one.account_id else "role"
            refusal.errors = (errors.FieldError(f"{one.pointer}/{field}", refusal.code, refusal.detail),)
            return


def _by_id(one: Named, seen: dict[UUID, Account], own: dict[UUID, str]) -> AccountRef:
    field = f"{one.pointer}/account_id"
    account = seen.get(one.account_id) if one.account_id else None
    if account is None:
        raise _refused(AccountUnknown, field, "There is no such account.")
    if account.role not in PARTNER_ROLES or (account.role in PARTY_ROLES and account.owner_id not in own):
        raise _refused(AccountNotPostable, field, f"{account} takes no postings over the API.")
    if account.currency != one.currency:
        raise _refused(CurrencyMismatch, one.sum_pointer, f"{account} is kept in {account.currency}.")
    return account.ref


def _by_role(one: Named, own: dict[UUID, str], caller: Caller, within: dict[UUID | None, UUID]) -> AccountRef:
    if one.role not in PARTY_ROLES:
        message = (
            "Name a general account by its account_id."
            if one.role == AccountRole.GENERAL
            else "Accounts of this role take no postings over the API."
        )
        raise _refused(AccountNotPostable, f"{one.pointer}/role", message)
    if one.owner_id is None or one.owner_id not in own:
        raise _refused(AccountUnknown, f"{one.pointer}/owner_id", "There is no such party.")
    if one.branch_id not in within:
        with naming(one.pointer, "/branch_id"):
            within[one.branch_id] = branches.chosen(caller, one.branch_id).id
    name = own[one.owner_id][:NAME_MAX]
    return AccountRef(one.role, one.currency, within[one.branch_id], one.owner_id, name)


def _refused[Kind: errors.DomainError](kind: type[Kind], pointer: str, message: str) -> Kind:
    return kind(message, errors=[errors.FieldError(pointer, kind.code, message)])


def _field(pointer: str, refusal: errors.DomainError) -> tuple[errors.FieldError, ...]:
    return (errors.FieldError(pointer, refusal.code, refusal.detail),) if pointer else ()
