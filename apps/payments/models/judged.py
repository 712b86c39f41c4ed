"""What people say of an attempt of which nobody knows what became: that it brought no money."""

from datetime import datetime

from django.db import models
from django.db.models import Q

REASON_LENGTH = 200
NOT_PAID = "not_paid"
JUDGED_FIELDS = ["verdict_reason", "verdict_by", "verdict_approval_id", "judged_at"]


class Judged(models.Model):
    """
    The part of an attempt that is about its close by people.

    ``verdict_by`` says of an UNKNOWN one that it brought no money, and why; that waits for its approval until ``judged_at``, when it
    ended the attempt.
    """

    verdict_reason = models.CharField(max_length=REASON_LENGTH, blank=True)
    verdict_by = models.CharField(max_length=120, blank=True)
    verdict_approval_id = models.UUIDField(null=True)
    judged_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def say_not_paid(self, *, reason: str, by: str) -> None:
        """Write down that a person says so; it ends nothing before others agree."""
        self.verdict_reason = reason[:REASON_LENGTH]
        self.verdict_by = by

    def unsay(self) -> None:
        """Drop what a person said, for it was not agreed to or comes too late."""
        self.verdict_reason = self.verdict_by = ""
        self.verdict_approval_id = None

    def judge(self, *, at: datetime) -> None:
        """What a person said counts from now on."""
        self.judged_at = at


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
