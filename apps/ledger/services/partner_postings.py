"""What partners post and reverse over the API: within their branches, to accounts that are open to them, under keys of their own."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from uuid import UUID

from apps.access.contracts import Caller
from apps.access.selectors import scope
from apps.kit import errors
from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, Booked, Direction, Draft, Leg
from apps.ledger.models import Transaction
from apps.ledger.selectors import transactions
from apps.ledger.services import journals, reversals
from apps.ledger.services.partner_accounts import Named, naming, resolve
from apps.ledger.services.partner_refusals import Written, name_field
from apps.ledger.services.refusals import (
    DraftInvalid,
    PeriodClosed,
    Unbalanced,
)

SOURCE = "application"
LEGS_MAX = 1_000
BATCH = "/transactions"
EXCHANGE = "ledger:exchange:"
KEY_MAX = 150


class TransactionForeign(errors.Forbidden):
    """The transaction was not posted by the key's application, or touches a branch that is not the key's."""

    code = "ledger_transaction_foreign"
    title = "Not your transaction"


@dataclass(frozen=True, slots=True)
class PartnerLeg:
    """One leg as a partner writes it."""

    direction: Direction
    money: Money
    account: Named


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerPosting:
    """A transaction as a partner writes it; ``key`` is its own and is used once for ever."""

    key: str
    description: str
    legs: tuple[PartnerLeg, ...]
    pointer: str = ""
    effective_date: date | None = None
    reference: str = ""
    cost_centre: str = ""
    dimensions: Mapping[str, str] | None = None


def ledger_key(caller: Caller, key: str) -> str:
    """Return the key of a booking: no application's keys meet those of another one, nor ours."""
    if len(key) > KEY_MAX:
        message = f"A key has at most {KEY_MAX} characters. Name one in the body."
        raise DraftInvalid(message, errors=[errors.FieldError("/key", DraftInvalid.code, message)])
    return f"{_prefix(caller)}{key}"


def own_key(transaction: Transaction) -> str:
    """Return the key that a partner gave, or nothing for what we booked ourselves."""
    kind, _, rest = transaction.idem_key.removeprefix(EXCHANGE).partition(":")
    return rest.partition(":")[2] if kind == "api" else ""


def post(*, posting: PartnerPosting, caller: Caller, now: datetime) -> Booked:
    """Book one transaction; see ``post_batch``."""
    (booked,) = _book([posting], "/legs", caller, now)
    return booked


def post_batch(*, postings: Sequence[PartnerPosting], caller: Caller, now: datetime) -> list[Booked]:
    """
    Book all of them or none; what was booked before under its key is a replay.

    Raises what ``partner_accounts.resolve`` and ``journals.post`` raise, with the field as far as one transaction is to blame.
    """
    seen: set[str] = set()
    for posting in postings:
        if posting.key in seen:
            with naming(posting.pointer, "/key"):
                raise DraftInvalid("Each transaction of a batch has a key of its own.")
        seen.add(posting.key)
    return _book(postings, BATCH, caller, now)


def reverse(
    *, transaction_id: UUID, reason: str, effective_date: date | None, caller: Caller, now: datetime
) -> Booked:
    """
    Take back what the key's application posted. Raises NotFound, TransactionForeign, and what ``reversals.reverse`` raises.
    """
    original = require_own(transaction_id, caller)
    is_early = effective_date is not None and effective_date < original.effective_date
    try:
        return reversals.reverse(
            transaction_id=original.uid,
            reason=reason,
            effective_date=effective_date,
            actor=caller.actor,
            now=now,
        )
    except (PeriodClosed, reversals.NotReversible) as refusal:
        if is_early or isinstance(refusal, PeriodClosed):
            _name(refusal, "/effective_date")
        raise


def require_own(transaction_id: UUID, caller: Caller) -> Transaction:
    """Return a transaction of the key's application within its branches. Raises NotFound and TransactionForeign."""
    found = transactions.visible_to(caller).filter(uid=transaction_id).first()
    if found is None:
        raise errors.NotFound("There is no such transaction.")
    within = scope.branch_ids(caller)
    touched = set(found.entries.values_list("account__branch_id", flat=True))
    if not found.idem_key.startswith(_prefix(caller)) or (within is not None and touched - within):
        raise TransactionForeign(
            "Over the API, an application takes back what it posted itself, within the key's branch."
        )
    return found


def _prefix(caller: Caller) -> str:
    return f"api:{caller.application_id}:"


def _book(postings: Sequence[PartnerPosting], otherwise: str, caller: Caller, now: datetime) -> list[Booked]:
    for posting in postings:
        with naming(posting.pointer, "/legs"):
            _check_sums(posting)
    refs = iter(resolve([leg.account for posting in postings for leg in posting.legs], caller))
    written = [
        Written(
            _draft(posting, list(islice(refs, len(posting.legs))), caller, now),
            posting.pointer,
            [leg.account for leg in posting.legs],
        )
        for posting in postings
    ]
    try:
        with naming("", otherwise):
            return journals.post_batch(drafts=[one.draft for one in written], actor=caller.actor, now=now)
    except errors.DomainError as refusal:
        name_field(refusal, written, now=now)
        raise


def _draft(posting: PartnerPosting, refs: Sequence[AccountRef], caller: Caller, now: datetime) -> Draft:
    with naming(posting.pointer, "/legs"):
        draft = Draft(
            key=ledger_key(caller, posting.key),
            description=posting.description,
            source_type=SOURCE,
            source_id=caller.application_id,
            legs=tuple(_leg(leg, ref) for leg, ref in zip(posting.legs, refs, strict=True)),
            effective_date=posting.effective_date,
            reference=posting.reference,
            cost_centre=posting.cost_centre,
            dimensions=posting.dimensions,
        )
        journals.check(draft, now)
    return draft


def _leg(leg: PartnerLeg, ref: AccountRef) -> Leg:
    is_debit = leg.direction == Direction.DEBIT
    return Leg(ref, debit=leg.money if is_debit else None, credit=None if is_debit else leg.money)


def _check_sums(posting: PartnerPosting) -> None:
    if not len(Direction) <= len(posting.legs) <= LEGS_MAX:
        raise DraftInvalid(f"A transaction has {len(Direction)} to {LEGS_MAX} legs.")
    sums: Counter[str] = Counter()
    for leg in posting.legs:
        sums[leg.money.currency] += leg.direction * leg.money.minor
    for currency, difference in sums.items():
        if difference:
            raise Unbalanced(f"Debits and credits differ by {Money(abs(difference), currency)}.")


def _name(refusal: errors.DomainError, pointer: str) -> None:
    refusal.errors = (errors.FieldError(pointer, refusal.code, refusal.detail),)
