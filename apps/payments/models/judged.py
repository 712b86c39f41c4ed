"""When people may say of an attempt that it brought no money: while nobody knows what became of it."""

from django.db import models
from django.db.models import Q

NOT_PAID = "not_paid"

VERDICT_WHOLE = models.CheckConstraint(
    condition=(
        Q(verdict_reason="", verdict_by="", verdict_approval_id__isnull=True, judged_at__isnull=True)
        | (
            ~Q(verdict_reason="")
            & ~Q(verdict_by="")
            & Q(verdict_approval_id__isnull=False, unknown_at__isnull=False)
            & (Q(judged_at__isnull=True) | Q(failure_code=NOT_PAID))
        )
    )
    & (~Q(failure_code=NOT_PAID) | Q(judged_at__isnull=False)),
    name="attempt_verdict_whole",
)
