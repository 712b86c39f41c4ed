"""Which of the transactions that a partner sends a refusal of the ledger is about, and which field of it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.kit import errors
from apps.ledger.contracts import AccountRef, AccountStatus, Draft, Leg
from apps.ledger.models import Account, Balance, Transaction
from apps.ledger.selectors import books, periods
from apps.ledger.services import accounts, calls
from apps.ledger.services.partner_accounts import Named
from apps.ledger.services.refusals import AccountClosed, AccountFrozen, KeyReused, LimitExceeded, PeriodClosed


@dataclass(frozen=True, slots=True)
class Written:
    """A draft beside where the request says it, and where it names the account of each leg."""

    draft: Draft
    pointer: str
    named: Sequence[Named]


def name_field(refusal: errors.DomainError, written: Sequence[Written], *, now: datetime) -> None:
    """
    Let a refusal name the field of the transaction that it is about; one about none of them stays as it is.

    The function that refused took its locks back with it, so this reads the books anew: what another booking has changed
    in between can leave the refusal without its field, and never with a wrong key, date or account.
    """
    keys = [one.draft.key for one in written]
    known = dict(Transaction.objects.filter(idem_key__in=keys).values_list("idem_key", "request_hash"))
    fresh = [one for one in written if one.draft.key not in known]
    match refusal:
        case KeyReused():
            found = _reused(written, known)
        case PeriodClosed():
            found = _late(fresh, now)
        case AccountFrozen() | AccountClosed():
            found = _shut(fresh)
        case LimitExceeded():
            found = _past_limit(fresh)
        case _:
            return
    pointer = next(found, None)
    if pointer is not None:
        refusal.errors = (errors.FieldError(pointer, refusal.code, refusal.detail),)


def _reused(written: Iterable[Written], known: Mapping[str, bytes | memoryview]) -> Iterator[str]:
    for one in written:
        stored = known.get(one.draft.key)
        if stored is not None and bytes(stored) != calls.request_hash(one.draft):
            yield f"{one.pointer}/key"


def _late(fresh: Iterable[Written], now: datetime) -> Iterator[str]:
    first_open, today = periods.first_open_day(), books.today(now)
    for one in fresh:
        if first_open is not None and (one.draft.effective_date or today) < first_open:
            yield f"{one.pointer}/effective_date"


def _shut(fresh: Sequence[Written]) -> Iterator[str]:
    found = accounts.find(_refs(fresh))
    for one in fresh:
        for leg, named in zip(one.draft.legs, one.named, strict=True):
            account = found.get(leg.account)
            if account is not None and account.status != AccountStatus.OPEN:
                yield f"{named.pointer}/{'account_id' if named.account_id else 'role'}"


def _past_limit(fresh: Sequence[Written]) -> Iterator[str]:
    """Yield where a limit is passed: it binds what each transaction leaves behind, holds counted, as it moves towards it."""
    found = accounts.find(_refs(fresh))
    bound = _limits(found.values())
    nets = {account_id: row.posted_debits - row.posted_credits for account_id, row in bound.items()}
    for one in fresh:
        moved: Counter[int] = Counter()
        legs: dict[int, list[tuple[Leg, Named]]] = defaultdict(list)
        for leg, named in zip(one.draft.legs, one.named, strict=True):
            account = found.get(leg.account)
            if account is not None and account.id in bound:
                moved[account.id] += leg.direction * leg.money.minor
                legs[account.id].append((leg, named))
        for account_id, change in moved.items():
            nets[account_id] += change
            if _is_past(bound[account_id], nets[account_id], change):
                yield next(named.sum_pointer for leg, named in legs[account_id] if leg.direction * change > 0)


def _limits(found: Iterable[Account]) -> dict[int, Balance]:
    rows = Balance.objects.filter(account_id__in=[account.id for account in found])
    return {row.account_id: row for row in rows if row.net_floor is not None or row.net_ceiling is not None}


def _is_past(limits: Balance, net: int, change: int) -> bool:
    if change > 0:
        return limits.net_ceiling is not None and net + limits.pending_debits > limits.net_ceiling
    return change < 0 and limits.net_floor is not None and net - limits.pending_credits < limits.net_floor


def _refs(written: Iterable[Written]) -> set[AccountRef]:
    return {leg.account for one in written for leg in one.draft.legs}
