"""Whether an e-mail is locked out anywhere after wrong passwords."""

from datetime import datetime

from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum


def is_locked(email: str, *, at: datetime) -> bool:
    """Whether sign-ins with this e-mail are refused from some address now, whatever the password."""
    return (
        AccessAttempt.objects.filter(username=email.lower(), attempt_time__gt=at - settings.AXES_COOLOFF_TIME)
        .order_by()
        .values("ip_address")
        .annotate(wrong=Sum("failures_since_start"))
        .filter(wrong__gte=settings.AXES_FAILURE_LIMIT)
        .exists()
    )
