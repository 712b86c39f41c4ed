"""Periods: opened a year at a time, signed off, closed by a checked list."""

import calendar
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.access.selectors import applications, branches
from apps.audit.services import records
from apps.events.contracts import EventType
from apps.events.services import outbox
from apps.kit import errors, ids
from apps.kit.actors import Actor, ActorKind
from apps.kit.models import is_storable
from apps.kit.patience import long_statements
from apps.ledger import events
from apps.ledger.contracts import SIGN_OFFS, LateItems, PeriodState, Precondition
from apps.ledger.models import Account, Book, Period, SignOff
from apps.ledger.selectors import periods as stored
from apps.ledger.selectors import preconditions
from apps.ledger.selectors.preconditions import Question
from apps.ledger.services import closing, refusals
from apps.tenancy.selectors import organisations
from apps.tenancy.services import brandings

MONTHS = 12
NOTE_MAX = 200
FENCE = "SELECT pg_advisory_xact_lock(7401, 'ledger_book'::regclass::oid::integer)"
FENCE_SHARED = "SELECT pg_advisory_xact_lock_shared(7401, 'ledger_book'::regclass::oid::integer)"
PATIENCE = "10s"
BOOK = "book"


class YearInvalid(errors.Invalid):
    """No such year, or month of a year."""

    code = "ledger_year_invalid"
    title = "Year not valid"


class CloseRefused(errors.DomainError):
    """A precondition of the close is not met; ``errors`` names each."""

    code = "ledger_close_refused"
    title = "Period cannot be closed yet"


class SignOffInvalid(errors.Invalid):
    """There is no such kind of sign-off, or its note is too long."""

    code = "ledger_sign_off_invalid"
    title = "Sign-off not valid"


class SignOffPersonal(errors.Forbidden):
    """A person answers for this sign-off; no API key does."""

    code = "ledger_sign_off_personal"
    title = "A person signs this off"


@transaction.atomic
def generate(
    *, year: int, actor: Actor, now: datetime, reason: str = "", first_month: int | None = None
) -> list[Period]:
    """
    Open the twelve months of the fiscal year that begins in ``year``; those that are there already stay as they are.

    The last one ends the year. ``first_month`` says in which month the book's years begin, before its first one. Raises
    YearInvalid, BookMissing, PeriodStateWrong, and PeriodOutOfOrder unless the year follows the periods that there are.
    """
    if not date.min.year < year < date.max.year - 1:
        raise _wrong(YearInvalid, "/year", "Name a year in four digits.")
    if first_month is not None:
        set_fiscal_year_start(month=first_month, actor=actor, now=now, reason=reason)
    months = list(_months(year, _book().fiscal_year_start))
    opened = [month for month in months if _open(month)]
    if opened:
        changes = {"days": [None, f"{opened[0][0]} to {opened[-1][1]}"]}
        _record_book("ledger.periods_opened", changes, actor=actor, now=now, reason=reason)
    return list(stored.stored().filter(start_date__gte=months[0][0], end_date__lte=months[-1][1]))


def checklist(*, period_id: UUID, now: datetime, is_carrying_holds: bool = False) -> list[Precondition]:
    """Return every precondition of a close, met or not, as the books are now. Raises NotFound."""
    return preconditions.of(Question(stored.get(period_id), now, is_carrying_holds))


def require_ready(*, period_id: UUID, now: datetime, is_carrying_holds: bool = False) -> None:
    """Raise CloseRefused with every precondition of a close that is not met, or NotFound."""
    _check(Question(stored.get(period_id), now, is_carrying_holds))


@transaction.atomic
def soft_close(*, period_id: UUID, actor: Actor, now: datetime) -> Period:
    """Say that a period is about to be closed: it takes postings still. A second time changes nothing."""
    return _mark(period_id, PeriodState.SOFT_CLOSED, actor=actor, now=now)


@transaction.atomic
def resume(*, period_id: UUID, actor: Actor, now: datetime) -> Period:
    """Take a soft close back. Raises PeriodStateWrong for a closed period: that is reopened by two people."""
    return _mark(period_id, PeriodState.OPEN, actor=actor, now=now)


@transaction.atomic
def sign_off(
    *, kind: str, period_id: UUID, is_signed: bool, note: str = "", actor: Actor, now: datetime
) -> SignOff:
    """
    Vouch for something before a period is closed, or take that back; the last one of a kind counts.

    A repeat returns the first, unless something was booked into the period since. Raises NotFound, SignOffInvalid for a
    kind that nobody declared, SignOffPersonal for a key where a person is needed, and PeriodStateWrong for a closed period.
    """
    if kind not in SIGN_OFFS:
        raise _wrong(SignOffInvalid, "/kind", f"There is no sign-off {kind}. Choose: {', '.join(SIGN_OFFS)}.")
    if SIGN_OFFS[kind].is_personal and actor.kind == ActorKind.API_KEY:
        message = f"{SIGN_OFFS[kind].title}: a person says so, in the portal."
        raise SignOffPersonal(message, errors=[errors.FieldError("/kind", SignOffPersonal.code, message)])
    if len(note) > NOTE_MAX or not is_storable(note):
        raise _wrong(SignOffInvalid, "/note", f"A note has at most {NOTE_MAX} characters.")
    with refusals.translated(), connection.cursor() as cursor:
        cursor.execute(FENCE_SHARED)
    period = stored.get(period_id)
    if period.state == PeriodState.CLOSED:
        raise refusals.PeriodStateWrong("This period is closed.")
    last = stored.sign_offs_of(period).filter(kind=kind).first()
    is_same = last and (last.is_signed, last.note, last.signed_by) == (is_signed, note, str(actor))
    if last and is_same and not stored.is_booked_since(period, last.signed_at):
        return last
    signed = SignOff.objects.create(
        period=period,
        revision=period.revision,
        kind=kind,
        is_signed=is_signed,
        note=note,
        signed_by=str(actor),
        signed_at=now,
    )
    before = last.is_signed if last else False
    changes = {kind: [before, is_signed]}
    record("period.signed_off", period, actor=actor, now=now, changes=changes, reason=note)
    return signed


@transaction.atomic
@long_statements()
def close(
    *, period_id: UUID, actor: Actor, now: datetime, is_carrying_holds: bool = False, reason: str = ""
) -> Period:
    """
    Close a period for good: nothing can be dated into it afterwards, and what stood on each account at its end is kept.

    At the end of a year income and expenses go into retained earnings first. Postings wait meanwhile: each is either in
    the kept balances or refused. A closed period stays as it is. Raises NotFound, CloseRefused with every precondition
    that is not met, CheckpointMismatch, LedgerBusy, and as journals.post.
    """
    period = stored.get(period_id)
    if period.state == PeriodState.CLOSED:
        return period
    _check(Question(period, now, is_carrying_holds))
    fence()
    period = stored.get(period_id)
    if period.state == PeriodState.CLOSED:
        return period
    _check(Question(period, now, is_carrying_holds))
    closings = closing.post(period=period, actor=actor, now=now) if period.is_year_end else []
    with refusals.translated(_names().__getitem__), connection.cursor() as cursor:
        cursor.execute("SELECT ledger_close_period(%s, %s, %s)", [period.uid, str(actor), now])
    closed = stored.get(period_id)
    changes = {
        "state": [period.state, closed.state],
        "checkpoint_hash": [None, bytes(closed.checkpoint_hash or b"").hex()],
        "closings": [None, len(closings)],
    }
    record("period.closed", closed, actor=actor, now=now, changes=changes, reason=reason)
    publish(events.PERIOD_CLOSED, closed, now=now)
    return closed


@transaction.atomic
def set_late_items(*, policy: LateItems, actor: Actor, now: datetime, reason: str = "") -> Book:
    """Say what becomes of postings dated into a closed period from now on. Raises BookMissing."""
    return _change_book("late_items", policy.value, actor=actor, now=now, reason=reason)


@transaction.atomic
def set_fiscal_year_start(*, month: int, actor: Actor, now: datetime, reason: str = "") -> Book:
    """
    Say in which month the year begins, of the book and of its organisation. Raises YearInvalid, BookMissing,
    PeriodStateWrong once there is a period.
    """
    if not 1 <= month <= MONTHS:
        raise _wrong(YearInvalid, "/month", "A month is 1 to 12.")
    book = _change_book("fiscal_year_start", month, actor=actor, now=now, reason=reason)
    brandings.set_fiscal_year_start(organisation_id=organisations.current().id, month=month)
    return book


def _check(question: Question) -> None:
    missing = [found for found in preconditions.of(question) if not found.is_met]
    if missing:
        raise CloseRefused(
            " ".join(found.sentence for found in missing),
            errors=[
                errors.FieldError(f"/{found.name}", CloseRefused.code, found.sentence) for found in missing
            ],
        )


def _mark(period_id: UUID, state: PeriodState, *, actor: Actor, now: datetime) -> Period:
    period = stored.get(period_id)
    if period.state == state:
        return period
    with refusals.translated(), connection.cursor() as cursor:
        cursor.execute("SELECT ledger_mark_period(%s, %s)", [period.uid, state.value])
    changes = {"state": [period.state, state.value]}
    record("period.marked", period, actor=actor, now=now, changes=changes)
    return stored.get(period_id)


def _change_book(field: str, value: str | int, *, actor: Actor, now: datetime, reason: str) -> Book:
    before = getattr(_book(), field)
    given = {"late_items": None, "fiscal_year_start": None, field: value}
    with refusals.translated(), connection.cursor() as cursor:
        cursor.execute("SELECT ledger_change_book(%(late_items)s, %(fiscal_year_start)s::smallint)", given)
    if before != value:
        changes = {field: [before, value]}
        _record_book("ledger.book_changed", changes, actor=actor, now=now, reason=reason)
    return _book()


def _book() -> Book:
    book: Book | None = Book.objects.first()
    if book is None:
        raise refusals.BookMissing("The book of this organisation is not open.")
    return book


def _open(month: tuple[date, date, bool]) -> bool:
    """Open one month and say whether it was not there."""
    with refusals.translated(), connection.cursor() as cursor:
        cursor.execute("SELECT ledger_open_period(%s, %s, %s, %s)", [ids.new(), *month])
        return bool(cursor.fetchone()[0])


def _months(year: int, first_month: int) -> Iterator[tuple[date, date, bool]]:
    """Yield first day, last day, and whether it ends the year, of each month of a fiscal year."""
    for step in range(MONTHS):
        years, month = divmod(first_month - 1 + step, MONTHS)
        in_year, number = year + years, month + 1
        last = calendar.monthrange(in_year, number)[1]
        yield date(in_year, number, 1), date(in_year, number, last), step == MONTHS - 1


def fence() -> None:
    """
    Wait until every posting has ended and let no other begin until the transaction ends.

    Raises LedgerBusy where one does not end in time: those that come later wait behind this one, so it does not wait long.
    """
    with refusals.translated(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        (usual,) = cursor.fetchone()
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
        cursor.execute(FENCE)
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [usual])


def record(
    action: str, period: Period, *, actor: Actor, now: datetime, changes: dict[str, Any], reason: str = ""
) -> None:
    """Put a deed about a period on the audit trail."""
    records.write(
        action=action,
        object_type=events.PERIOD_AGGREGATE,
        object_id=ids.encode(events.PERIOD_PREFIX, period.uid),
        actor=actor,
        now=now,
        changes=changes,
        reason=reason,
    )


def publish(event_type: EventType, period: Period, *, now: datetime) -> None:
    """Say a fact about a period: it is the head office's and the portal's, for it is about the whole book."""
    said = events.about_period(
        event_type,
        period,
        branch_id=branches.head_office().id,
        application_id=applications.portal().id,
    )
    outbox.publish(said, now=now)


def _record_book(action: str, changes: dict[str, Any], *, actor: Actor, now: datetime, reason: str) -> None:
    records.write(
        action=action,
        object_type=BOOK,
        object_id=BOOK,
        actor=actor,
        now=now,
        changes=changes,
        reason=reason,
    )


def _names() -> dict[int, str]:
    """Return how accounts are called, by id: a checkpoint that does not match names one."""
    return {account.id: str(account) for account in Account.objects.all()}


def _wrong(kind: type[errors.Invalid], pointer: str, message: str) -> errors.Invalid:
    return kind(message, errors=[errors.FieldError(pointer, kind.code, message)])
