"""The guarantee behind every wake-up: what is due and was not done is found in the rows."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from apps.disbursements.models import ConnectedAccount, Transfer, TransferReversal
from apps.disbursements.models.order import OrderQuerySet
from apps.disbursements.services import listed_transfers, transfer_reversals, transfers
from apps.kit import jobs, sweep
from apps.kit.sweep import DEFAULT, JOB_GRACE, PROVIDERS, Due


def run(*, now: datetime) -> None:
    """
    Start a job for each row of this organisation that is due; safe to run at any time and twice at once.

    Questions that are due are asked, what waits to be sent and has lost its job is sent for again, and of what was being sent
    and never recorded nobody may guess: it becomes UNKNOWN. Listed movements are closed that are of transfers made. Each row is a job of
    its own, so that one that cannot be done stops no other. While a queue is backed up nothing is put into it from here: its jobs are
    late, not lost.
    """
    if not jobs.is_backed_up(PROVIDERS):
        start_queries(now=now)
        resend_lost_jobs(now=now)
    if not jobs.is_backed_up(DEFAULT):
        start_deeds(now=now)


def do(*, deed: str, row_id: UUID, now: datetime) -> None:
    """Do the deed to one row, unless it is no longer due; KeyError for a deed that does not exist."""
    sweep.do(DEEDS[deed], row_id=row_id, now=now)


def start_queries(*, now: datetime) -> None:
    """Start one job per question that is due, and leave it some time before another one is started."""
    asked = (
        ("disbursements.follow_account", "account_id", ConnectedAccount.objects.all()),
        ("disbursements.query_transfer", "transfer_id", Transfer.objects.all()),
        ("disbursements.query_reversal", "reversal_id", TransferReversal.objects.all()),
    )
    sweep.start_queries(asked, now=now)


def resend_lost_jobs(*, now: datetime) -> None:
    """Start the sending anew and move its due time, so that the next sweeps leave the job some time."""
    since = now - JOB_GRACE
    lost = (
        ("disbursements.send_transfer", "transfer_id", Transfer.objects.waiting_to_be_sent(since=since)),
        (
            "disbursements.send_reversal",
            "reversal_id",
            TransferReversal.objects.waiting_to_be_sent(since=since),
        ),
    )
    sweep.resend(lost, now=now)


def start_deeds(*, now: datetime) -> None:
    """Start one job for each row that a deed is due for."""
    sweep.start_deeds("disbursements.sweep_organisation", DEEDS, now=now)


def _silent(rows: OrderQuerySet, now: datetime) -> OrderQuerySet:
    since = now - timedelta(seconds=settings.TREASURY["SENDING_TIMEOUT"])
    return rows.stuck_in_sending(since=since).order_by("sent_at")


def _silent_transfers(now: datetime) -> QuerySet[Any]:
    return _silent(Transfer.objects.all(), now)


def _lose_transfer(row_id: UUID, now: datetime) -> None:
    transfers.lose(transfer_id=row_id, now=now)


def _silent_reversals(now: datetime) -> QuerySet[Any]:
    return _silent(TransferReversal.objects.all(), now)


def _lose_reversal(row_id: UUID, now: datetime) -> None:
    transfer_reversals.lose(reversal_id=row_id, now=now)


def _explained(now: datetime) -> QuerySet[Any]:  # noqa: ARG001 (what is booked is booked)
    return listed_transfers.explained().order_by("id")


def _explain(row_id: UUID, now: datetime) -> None:
    listed_transfers.explain(movement_id=row_id, now=now)


DEEDS = {
    "lose_transfer": Due(_silent_transfers, _lose_transfer),
    "lose_reversal": Due(_silent_reversals, _lose_reversal),
    "explain": Due(_explained, _explain),
}
