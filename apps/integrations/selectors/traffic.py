"""Counting the calls to a provider by the minute: what a tracker of its health draws."""

from datetime import UTC, datetime, timedelta

from django.db.models import Aggregate, Avg, Count, FloatField, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import TruncMinute

from apps.integrations.contracts import CallbackStatus, CallStatus
from apps.integrations.contracts.traffic import CallHealth, TrafficHour, TrafficMinute
from apps.integrations.models import ProviderAccount, ProviderCall, ProviderCallback
from apps.integrations.models.callback import CallbackProcessing

TRACKED = timedelta(hours=48)
SERVER_ERROR = 500
NEWEST = 200
ANSWERED_WELL = Q(status=CallStatus.ANSWERED.value, response_status__lt=SERVER_ERROR)
"""An answer below 500 is a good one: that a payer has no money is no failure of the provider's."""


class Percentile95(Aggregate):
    """What 95 of 100 values do not exceed."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(0.95) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


def of(account: ProviderAccount, *, now: datetime, span: timedelta = TRACKED) -> list[TrafficMinute]:
    """
    Return the minutes of the last 48 hours in which calls were made, oldest first, one for each kind of call: one query.

    An answer that is an error of the provider's counts as failed, though Daraja says so too while a payer decides.
    """
    minutes = (
        ProviderCall.objects.filter(account=account, called_at__gt=now - span, called_at__lte=now)
        .annotate(minute=TruncMinute("called_at"))
        .values("minute", "kind")
        .annotate(
            calls=Count("id"),
            not_sent=Count("id", filter=Q(status=CallStatus.NOT_SENT.value)),
            no_answer=Count("id", filter=Q(status=CallStatus.NO_ANSWER.value)),
            failed=Count("id", filter=Q(response_status__gte=SERVER_ERROR)),
            mean_ms=Avg("elapsed_ms"),
            longest_ms=Max("elapsed_ms"),
        )
        .order_by("minute", "kind")
    )
    return [TrafficMinute(**{**row, "mean_ms": round(row["mean_ms"])}) for row in minutes]


def heard(account: ProviderAccount) -> datetime | None:
    """Return when the last message of the provider came, at the account's own address or about one of its newest 200 calls."""
    own = ProviderCallback.objects.filter(token=account.callback_token)
    newest_calls = ProviderCall.objects.filter(account=account, subject_id__isnull=False).order_by("-id")
    subjects = [key for key in newest_calls.values_list("subject_id", flat=True)[:NEWEST] if key]
    about = ProviderCallback.objects.of_subjects(subjects)
    found = [rows.order_by("-id").values_list("received_at", flat=True).first() for rows in (own, about)]
    return max((at for at in found if at is not None), default=None)


def unread(*, now: datetime) -> tuple[int, timedelta]:
    """Return how many messages of providers wait to be read, and for how long the oldest does."""
    waiting = CallbackProcessing.objects.filter(status=CallbackStatus.RECEIVED.value)
    found = waiting.aggregate(count=Count("pk"), oldest=Min("callback__received_at"))
    return found["count"], now - found["oldest"] if found["oldest"] else timedelta(0)


def counted(accounts: QuerySet[ProviderAccount], *, now: datetime) -> QuerySet[ProviderAccount]:
    """Return the accounts each with its ``calls`` of the last 48 hours and those ``answered_well``; null stands for none."""
    own = ProviderCall.objects.filter(account=OuterRef("pk"), called_at__gt=now - TRACKED).values("account")
    return accounts.annotate(
        calls=Subquery(own.annotate(found=Count("id")).values("found")),
        answered_well=Subquery(own.filter(ANSWERED_WELL).annotate(found=Count("id")).values("found")),
    )


def health(account: ProviderAccount, *, now: datetime, span: timedelta = TRACKED) -> list[CallHealth]:
    """Return how the calls of the last 48 hours went, by kind; a kind that was not called is not there."""
    kinds = (
        ProviderCall.objects.filter(account=account, called_at__gt=now - span, called_at__lte=now)
        .values("kind")
        .annotate(
            calls=Count("id"),
            answered=Count("id", filter=ANSWERED_WELL),
            not_sent=Count("id", filter=Q(status=CallStatus.NOT_SENT.value)),
            no_answer=Count("id", filter=Q(status=CallStatus.NO_ANSWER.value)),
            p95_ms=Percentile95("elapsed_ms"),
        )
        .order_by("kind")
    )
    return [CallHealth(**{**row, "p95_ms": round(row["p95_ms"])}) for row in kinds]


def hours(account: ProviderAccount, *, now: datetime) -> list[TrafficHour]:
    """Return the last 48 hours, the one that runs included, oldest first: those without a call too."""
    this_hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    first = this_hour - TRACKED + timedelta(hours=1)
    found = {at: TrafficHour(at) for at in (first + timedelta(hours=past) for past in range(48))}
    for row in of(account, now=now, span=now - first):
        at = row.minute.astimezone(UTC).replace(minute=0)
        hour = found[at]
        bad = row.not_sent + row.no_answer + row.failed
        found[at] = TrafficHour(at, hour.calls + row.calls, hour.bad + bad)
    return list(found.values())
