"""What other apps may know of the inbox of callbacks."""

from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, QuerySet

from apps.integrations.contracts import CallbackStatus
from apps.integrations.models import ProviderCallback
from apps.kit.compiled import Read

READING_GRACE = timedelta(minutes=10)
"""For how long what came is about to be read; after that nobody counts on it any more."""


def are_unread(token: str, *, now: datetime) -> Exists:
    """Return the condition that a callback to the address with the token in this column has come and is about to be read."""
    return Exists(_unread(OuterRef(token), now - READING_GRACE))


def is_unread(token: str, *, now: datetime) -> bool:
    """Say whether a callback to the address with this token has come and is about to be read."""
    return _WAITING.is_any(token, now - READING_GRACE)


def _unread(token: str | F, since: datetime) -> QuerySet[ProviderCallback]:
    return ProviderCallback.objects.filter(
        token=token, received_at__gt=since, processing__status=CallbackStatus.RECEIVED.value
    )


_WAITING = Read(lambda token, since: _unread(token, since).values_list("id")[:1], str, datetime)
