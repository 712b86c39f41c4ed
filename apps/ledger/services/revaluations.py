"""Revaluations: foreign money at the rate of a day's end, booked against what it was carried at and taken back next day."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from apps.audit.services import records
from apps.kit import errors, locks
from apps.kit.actors import Actor
from apps.kit.money import Money
from apps.ledger.contracts import (
    REVALUATION_DONE,
    AccountRef,
    AccountRole,
    Booked,
    Draft,
    TransactionKind,
    credit,
    debit,
)
from apps.ledger.models import Book, Transaction
from apps.ledger.selectors import carrying, positions, rates
from apps.ledger.selectors import periods as stored_periods
from apps.ledger.selectors.carrying import Holding
from apps.ledger.selectors.rates import Rate
from apps.ledger.services import calls, journals, periods, reversals

SOURCE = "fx_revaluation"
KEY = "ledger:revaluation:"
TAKEN_BACK = "Revaluations hold for the day only"


class RevaluationTooEarly(errors.Invalid):
    """The day is not over."""

    code = "fx_revaluation_too_early"
    title = "Day is not over"


@dataclass(frozen=True, slots=True)
class Valued:
    """A holding at the rate of the day's end; ``gain`` is below zero for a loss."""

    holding: Holding
    rate: Rate
    worth: Money
    gain: Money


@dataclass(frozen=True, slots=True)
class Revalued:
    """What a revaluation found and booked; of a replay, ``valued`` is empty: only what was booked is known."""

    on: date
    valued: tuple[Valued, ...]
    booked: tuple[Booked, ...]
    is_replay: bool


def value(*, on: date, now: datetime) -> list[Valued]:
    """
    Return every holding of foreign money at the rate of the day's end, half a minor unit to the even one; books nothing.

    Raises RateMissing and RateStale.
    """
    functional, at = rates.functional_currency(), rates.end_of(on)
    valued = []
    for holding in carrying.holdings(on=on, now=now):
        rate = rates.latest(holding.net.currency, functional, at=at, now=now)
        worth = rate.nearest(holding.net)
        valued.append(Valued(holding, rate, worth, worth - holding.carried))
    return valued


@calls.whole
def revalue(*, on: date, actor: Actor, now: datetime, reason: str = "") -> Revalued:
    """
    Book the unrealised gains and losses of a day's end, one transaction a branch and currency, and their reversal on the
    next day, all or nothing. A period that ends on the day is signed off. What has been booked for a day stands: again is
    a replay, whatever came in since.

    Raises RevaluationTooEarly, PeriodClosed, RateMissing and RateStale, and then nothing is booked.
    """
    locks.advisory(KEY)
    before = Transaction.objects.filter(source_type=SOURCE, source_id=_source_of(on)).order_by("id")
    if before:
        booked = tuple(Booked(row.uid, row.id, row.effective_date, is_replay=True) for row in before)
        return Revalued(on, (), booked, is_replay=True)
    _check(on, now=now)
    valued = value(on=on, now=now)
    booked = tuple(_book(draft, actor=actor, now=now) for draft in _drafts(valued, on=on))
    _sign_off(on, len(valued), actor=actor, now=now)
    records.write(
        action="ledger.revalued",
        object_type="ledger_book",
        object_id=on.isoformat(),
        actor=actor,
        now=now,
        changes={"transactions": [0, len(booked)], "accounts": [0, len(valued)]},
        reason=reason,
    )
    return Revalued(on, tuple(valued), booked, is_replay=False)


def _drafts(valued: list[Valued], *, on: date) -> list[Draft]:
    gains: dict[tuple[UUID, str], list[Valued]] = defaultdict(list)
    for one in valued:
        gains[one.holding.branch_id, one.holding.net.currency].append(one)
    drafts = [_draft(branch_id, found, rate=found[0].rate, on=on) for (branch_id, _), found in gains.items()]
    return [draft for draft in drafts if draft is not None]


def _draft(branch_id: UUID, found: list[Valued], *, rate: Rate, on: date) -> Draft | None:
    currency = rate.base
    gain = Money(sum(one.gain.minor for one in found), rate.quote)
    if gain.is_zero:
        return None
    contra = AccountRef(
        AccountRole.FX_REVALUATION,
        rate.quote,
        branch_id,
        positions.owner_of(currency),
        f"Revaluation of {currency}",
    )
    if gain.is_positive:
        result = AccountRef(AccountRole.FX_UNREALISED_GAIN, rate.quote, branch_id)
        legs = (debit(contra, gain), credit(result, gain))
    else:
        result = AccountRef(AccountRole.FX_UNREALISED_LOSS, rate.quote, branch_id)
        legs = (debit(result, -gain), credit(contra, -gain))
    return Draft(
        key=f"{KEY}{on}:{branch_id}:{currency}",
        description=f"Revaluation of {currency} at {rate.text}",
        source_type=SOURCE,
        source_id=_source_of(on),
        legs=legs,
        kind=TransactionKind.REVALUATION,
        effective_date=on,
        dimensions=rate.dimensions(),
    )


def _source_of(on: date) -> UUID:
    """Return what the transactions of a day's revaluation are found by."""
    return uuid5(NAMESPACE_URL, f"{KEY}{on}")


def _book(draft: Draft, *, actor: Actor, now: datetime) -> Booked:
    """Book a revaluation and, in the same breath, its end: forgetting it would count the gain again when it is realised."""
    booked = journals.post(draft=draft, actor=actor, now=now)
    reversals.reverse(
        transaction_id=booked.id,
        reason=TAKEN_BACK,
        effective_date=booked.effective_date + timedelta(days=1),
        actor=actor,
        now=now,
    )
    return booked


def _sign_off(on: date, count: int, *, actor: Actor, now: datetime) -> None:
    """Vouch for the period that ends on the day, which waits for it: where nothing was gained, no transaction says so."""
    period = stored_periods.of_day(on)
    if period is not None and period.end_date == on:
        periods.sign_off(
            kind=REVALUATION_DONE.name,
            period_id=period.uid,
            is_signed=True,
            note=f"{count} accounts in foreign currency were valued",
            actor=actor,
            now=now,
        )


def _check(on: date, *, now: datetime) -> None:
    book = Book.objects.first()
    if book is None:
        raise journals.BookMissing("The book of this organisation is not open.")
    if on >= now.astimezone(rates.zone()).date():
        message = f"{on} is not over yet."
        raise RevaluationTooEarly(
            message, errors=[errors.FieldError("/on", RevaluationTooEarly.code, message)]
        )
    if book.closed_through is not None and on <= book.closed_through:
        raise journals.PeriodClosed(f"The book is closed through {book.closed_through}.")
