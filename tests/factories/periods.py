"""Periods that tests close: a year of months, and everything that a close waits for."""

from datetime import UTC, date, datetime, timedelta

from apps.approvals.contracts import ApprovalStatus, Decided
from apps.approvals.models import ApprovalRequest
from apps.kit.actors import SYSTEM, Actor
from apps.ledger.contracts import SIGN_OFFS
from apps.ledger.models import Period
from apps.ledger.selectors import periods as stored
from apps.ledger.services import periods, reopenings, seals
from tests.factories import approvals

LATER = datetime(2027, 2, 3, 6, 0, tzinfo=UTC)


def months(year: int = 2026) -> list[Period]:
    return periods.generate(year=year, actor=SYSTEM, now=LATER)


def month(number: int, year: int = 2026) -> Period:
    return Period.objects.get(start_date=date(year, number, 1))


def seal(*, now: datetime = LATER) -> None:
    seals.run(now=now + timedelta(minutes=5), is_thorough=True)


def make_ready(period: Period, *, now: datetime = LATER) -> None:
    """Seal everything and sign whatever can be signed."""
    seal(now=now)
    for kind in SIGN_OFFS:
        periods.sign_off(kind=kind, period_id=period.uid, is_signed=True, actor=SYSTEM, now=now)


def close(period: Period, *, actor: Actor = SYSTEM, now: datetime = LATER) -> Period:
    make_ready(period, now=now)
    return periods.close(period_id=period.uid, actor=actor, now=now)


def close_through(number: int, *, now: datetime = LATER) -> Period:
    """Close every month of 2026 up to this one."""
    waiting = [period for period in stored.stored() if period.start_date <= date(2026, number, 1)]
    return [close(period, now=now) for period in waiting][-1]


def agreed(period: Period, *, now: datetime = LATER) -> Decided:
    """Ask for a reopening and return what its handler is told once an approver agrees."""
    asked = reopenings.ask(
        period_id=period.uid, reason="An invoice came late", actor=approvals.maker(), now=now
    )
    request = approvals.approve(ApprovalRequest.objects.get(id=asked), approvals.person(), now=now)
    return Decided(
        request_id=request.id,
        kind=request.kind,
        status=ApprovalStatus(request.status),
        subject_id=request.subject_id,
        payload_hash=request.payload_hash,
    )


def reopen(period: Period, *, now: datetime = LATER) -> None:
    reopenings.decide(decided=agreed(period, now=now), now=now)
