"""What other apps may know of the inbox of callbacks."""

from datetime import datetime

from django.db.models import Exists, OuterRef

from apps.integrations.contracts import CallbackStatus
from apps.integrations.models import ProviderCallback


def is_unread(token: str, *, since: datetime) -> Exists:
    """Return the condition that a callback to the address with the token in this column came after ``since`` and waits to be read."""
    return Exists(
        ProviderCallback.objects.filter(
            token=OuterRef(token), received_at__gt=since, processing__status=CallbackStatus.RECEIVED.value
        )
    )
