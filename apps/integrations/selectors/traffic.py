"""Counting the calls to a provider by the minute: what a tracker of its health draws."""

from datetime import datetime, timedelta

from django.db.models import Avg, Count, Max, Q
from django.db.models.functions import TruncMinute

from apps.integrations.contracts import CallStatus, TrafficMinute
from apps.integrations.models import ProviderAccount, ProviderCall

TRACKED = timedelta(hours=48)
SERVER_ERROR = 500


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
