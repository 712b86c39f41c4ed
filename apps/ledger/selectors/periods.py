"""Periods, what their close waits for, and the balances kept at a close."""

import hashlib
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import (
    Count,
    ExpressionWrapper,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce

from apps.jobs.selectors import jobs
from apps.kit import errors, ids
from apps.kit.models import MinorField
from apps.kit.money import Money
from apps.ledger.contracts import PERIOD_CLOSE_JOB, AccountType, Layer, PeriodState, TransactionKind
from apps.ledger.models import Account, Book, Checkpoint, Period, SignOff, Transaction
from apps.ledger.models.account import AccountQuerySet
from apps.ledger.selectors import books

YEARLY_TYPES = [AccountType.INCOME.value, AccountType.EXPENSE.value]


@dataclass(frozen=True, slots=True)
class KeptTotal:
    """What was kept at a close in one currency: debits and credits of so many accounts up to the last day."""

    accounts: int
    debits: Money
    credits: Money


def stored() -> QuerySet[Period]:
    """Return the periods in the order of their days."""
    return Period.objects.order_by("start_date")


def get(period_id: UUID) -> Period:
    """Return one period by its public id; raise NotFound."""
    period = Period.objects.filter(uid=period_id).first()
    if period is None:
        raise errors.NotFound("There is no such period.")
    return period


def named(text: str) -> Period:
    """Return the period that a person names: by its public id, its first day, or its first month; raise NotFound."""
    with suppress(ValueError):
        if text.startswith("per_"):
            return get(ids.decode("per", text))
        day = date.fromisoformat(text if text.count("-") > 1 else f"{text}-01")
        if period := Period.objects.filter(start_date=day).first():
            return period
    raise errors.NotFound(f"There is no period {text}. Name its first month, as 2026-10, or its id.")


def of_day(day: date) -> Period | None:
    """Return the period that a day lies in, if one was opened."""
    return Period.objects.filter(start_date__lte=day, end_date__gte=day).first()


def last_closed() -> Period | None:
    """Return the one period that can be opened again."""
    return Period.objects.filter(state=PeriodState.CLOSED.value).order_by("end_date").last()


def first_open_day() -> date | None:
    """Return the first day that takes postings, or None while nothing is closed: then every day does."""
    closed_through = Book.objects.values_list("closed_through", flat=True).first()
    return None if closed_through is None else closed_through + timedelta(days=1)


def sign_offs_of(period: Period) -> QuerySet[SignOff]:
    """Return what was signed for the present revision of a period, the last first; the last of a kind counts."""
    return period.sign_offs.filter(revision=period.revision).order_by("-signed_at", "-id")


def is_booked_since(period: Period, at: datetime) -> bool:
    """Say whether anything was booked into a period after an instant."""
    days = (period.start_date, period.end_date)
    return Transaction.objects.filter(posted_at__gt=at, effective_date__range=days).exists()


def checkpoints_of(period: Period) -> QuerySet[Checkpoint]:
    """Return the balances kept at the last close of a period; none while it is open."""
    return Checkpoint.objects.filter(
        period=period, period__state=PeriodState.CLOSED.value, revision=F("period__revision")
    )


def kept_totals(period: Period, *, within: Collection[UUID] | None) -> list[KeptTotal]:
    """Return the sums of what was kept at the last close of a period, by currency; ``within`` are branches, None for all."""
    rows = checkpoints_of(period)
    if within is not None:
        rows = rows.filter(account__branch_id__in=within)
    summed = rows.values_list("account__currency").annotate(
        accounts=Count("account_id"),
        debited=Sum("debits", output_field=MinorField()),
        credited=Sum("credits", output_field=MinorField()),
    )
    return [
        KeptTotal(accounts, Money(debited, currency), Money(credited, currency))
        for currency, accounts, debited, credited in summed.order_by("account__currency")
    ]


def overdue(now: datetime) -> QuerySet[Period]:
    """Return the periods that have ended in the book's zone and are not closed, the oldest first."""
    return stored().filter(end_date__lt=books.today(now)).exclude(state=PeriodState.CLOSED.value)


def late_behind(period: Period) -> QuerySet[Transaction]:
    """Return what came after a period was closed, and is therefore dated to the day after it, oldest first."""
    return Transaction.objects.filter(_came_late([period])).order_by("id")


def late_counts(periods: Iterable[Period], *, among: QuerySet[Transaction]) -> dict[int, int]:
    """
    Return how much of ``among`` came late behind each of these periods, by their ids, in one query; those with nothing
    are left out.
    """
    behind = {period.end_date + timedelta(days=1): period.id for period in periods}
    found = Transaction.objects.filter(_came_late(periods), id__in=among.values("id")).values_list(
        "effective_date"
    )
    return {behind[day]: count for day, count in found.annotate(Count("id"))}


def _came_late(periods: Iterable[Period]) -> Q:
    """Posted after the close, dated to the day after the period, and happened before that day began in the book's zone."""
    book = books.of_organisation()
    late = Q(pk__in=[])
    for period in periods:
        if book is not None and period.closed_at is not None:
            day = period.end_date + timedelta(days=1)
            begins_at = datetime.combine(day, time.min, ZoneInfo(book.timezone))
            late |= Q(effective_date=day, event_at__lt=begins_at, posted_at__gte=period.closed_at)
    return late


def close_under_way() -> jobs.Job | None:
    """Return the job that closes a period now, if there is one."""
    return jobs.live().filter(kind=PERIOD_CLOSE_JOB).first()


def last_close_job() -> jobs.Job | None:
    """Return the job that ended last of those that closed a period, or could not."""
    return jobs.ended().filter(kind=PERIOD_CLOSE_JOB).first()


def superseded_checkpoints_of(period: Period) -> QuerySet[Checkpoint]:
    """Return the balances kept at closes of a period that was opened again since."""
    return Checkpoint.objects.filter(
        Q(revision__lt=F("period__revision")) | ~Q(period__state=PeriodState.CLOSED.value), period=period
    )


def checkpoint_before(day: date) -> Period | None:
    """Return the last closed period that ends on or before a day: balances at that day are its checkpoints and later entries."""
    return (
        Period.objects.filter(state=PeriodState.CLOSED.value, end_date__lte=day).order_by("end_date").last()
    )


def standing(period: Period) -> AccountQuerySet:
    """
    Return the accounts on which something stands at the end of a period; ``standing`` is the net.

    It is what was kept at the last close before it, and the entries since.
    """
    before = checkpoint_before(period.start_date - timedelta(days=1))
    since = Q(entries__layer=Layer.POSTED.value, entries__effective_date__lte=period.end_date)
    if before is not None:
        since &= Q(entries__effective_date__gt=before.end_date)
    kept = Checkpoint.objects.filter(
        account_id=OuterRef("id"), period=before, revision=F("period__revision")
    ).values(net=F("debits") - F("credits"))
    moved = Sum(F("since__amount") * F("since__direction"), output_field=MinorField(), default=0)
    net = moved + Coalesce(Subquery(kept), 0, output_field=MinorField())
    accounts: AccountQuerySet = (
        Account.objects.annotate(since=FilteredRelation("entries", condition=since))
        .annotate(standing=ExpressionWrapper(net, output_field=MinorField()))
        .exclude(standing=0)
    )
    return accounts


def results_at(period: Period) -> list[Money]:
    """Return what stands on income and expense accounts at the end of a period, by currency: income is positive."""
    rows = standing(period).filter(type__in=YEARLY_TYPES).values_list("currency", "standing")
    sums: dict[str, Money] = {}
    for currency, net in rows:
        sums[currency] = sums.get(currency, Money.zero(currency)) - Money(net, currency)
    return [sums[currency] for currency in sorted(sums)]


def closing_transactions() -> QuerySet[Transaction]:
    """Return the closings of years and their reversals: a profit and loss statement leaves out both, or neither."""
    return Transaction.objects.filter(
        Q(kind=TransactionKind.CLOSING.value) | Q(reverses__kind=TransactionKind.CLOSING.value)
    )


def recomputed_hash(period: Period) -> bytes:
    """Return the hash that the checkpoints of a closed period must have, as its rows are now."""
    before = Period.objects.filter(end_date__lt=period.start_date).order_by("end_date").last()
    previous = bytes(before.checkpoint_hash).hex() if before and before.checkpoint_hash else "0" * 64
    head = f"ledger-checkpoint|v1|{period.start_date}|{period.end_date}|{period.revision}|{previous}"
    rows = checkpoints_of(period).order_by("account__uid")
    lines = [
        f"{uid}|{currency}|{debits}|{credits_}"
        for uid, currency, debits, credits_ in rows.values_list(
            "account__uid", "account__currency", "debits", "credits"
        )
    ]
    return hashlib.sha256("\n".join([head, *lines]).encode()).digest()
