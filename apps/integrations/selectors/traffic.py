"""Counting the calls to a provider by the minute: what a tracker of its health draws."""

from datetime import UTC, datetime, timedelta

from django.db.models import Aggregate, Avg, Count, FloatField, Max, Q
from django.db.models.functions import TruncMinute

from apps.integrations.contracts import CallHealth, CallStatus, TrafficHour, TrafficMinute
from apps.integrations.models import ProviderAccount, ProviderCall

TRACKED = timedelta(hours=48)
SERVER_ERROR = 500


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


def health(account: ProviderAccount, *, now: datetime, span: timedelta = TRACKED) -> list[CallHealth]:
    """
    Return how the calls of the last 48 hours went, by kind; a kind that was not called is not there.

    An answer below 500 is a good one: that a payer has no money is no failure of the provider's.
    """
    answered = Q(status=CallStatus.ANSWERED.value, response_status__lt=SERVER_ERROR)
    kinds = (
        ProviderCall.objects.filter(account=account, called_at__gt=now - span, called_at__lte=now)
        .values("kind")
        .annotate(
            calls=Count("id"),
            answered=Count("id", filter=answered),
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
