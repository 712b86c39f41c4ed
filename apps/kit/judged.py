"""Rows whose end people may say where nobody knows it: what one said, and the approval of others that it waits for."""

from typing import TYPE_CHECKING, Any

from django.db import models

REASON_LENGTH = 200
JUDGED_FIELDS = ["verdict_reason", "verdict_by", "verdict_approval_id", "judged_at"]


class Judged(models.Model):
    """
    The part of a row that is about its close by people.

    ``verdict_by`` says of an UNKNOWN one what became of it, and why; that waits for its approval until ``judged_at``, when it ended the
    row.
    """

    verdict_reason = models.CharField(max_length=REASON_LENGTH, blank=True)
    verdict_by = models.CharField(max_length=120, blank=True)
    verdict_approval_id = models.UUIDField(null=True)
    judged_at = models.DateTimeField(null=True)

    if TYPE_CHECKING:
        status: Any

    class Meta:
        abstract = True

    def save_progress(self) -> None:
        raise NotImplementedError

    def say_why(self, reason: str, *, by: str) -> None:
        """Write down who says what became of it, and what shows it; that ends nothing before others agree."""
        self.verdict_reason, self.verdict_by = reason[:REASON_LENGTH], by

    def unsay(self) -> None:
        """Drop what a person said, for it was not agreed to or comes too late."""
        self.verdict_reason = self.verdict_by = ""
        self.verdict_approval_id = None
