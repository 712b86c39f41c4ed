"""Periods, what their close waits for, and the balances kept at a close."""

import hashlib
from contextlib import suppress
from datetime import date, timedelta
from uuid import UUID

from django.db.models import F, Q, QuerySet, Sum

from apps.kit import errors, ids
from apps.kit.models import MinorField
from apps.ledger.contracts import Layer, PeriodState, TransactionKind
from apps.ledger.models import Account, Book, Checkpoint, Period, SignOff, Transaction
from apps.ledger.models.account import AccountQuerySet


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


def checkpoints_of(period: Period) -> QuerySet[Checkpoint]:
    """Return the balances kept at the last close of a period; none while it is open."""
    return Checkpoint.objects.filter(
        period=period, period__state=PeriodState.CLOSED.value, revision=F("period__revision")
    )


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
    """Return the accounts on which something stands at the end of a period, by their entries; ``standing`` is the net."""
    net = Sum(
        F("entries__amount") * F("entries__direction"),
        filter=Q(entries__layer=Layer.POSTED.value, entries__effective_date__lte=period.end_date),
        output_field=MinorField(),
        default=0,
    )
    accounts: AccountQuerySet = Account.objects.annotate(standing=net).exclude(standing=0)
    return accounts


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
