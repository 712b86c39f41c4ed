"""The reminder: once it was said that a request waits too long at a step."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.approvals.contracts import ReminderStage
from apps.approvals.models.request import ApprovalRequest
from apps.approvals.models.rule import ROLE_LENGTH, ROLES_MAX
from apps.kit.models import InsertOnlyModel, UuidModel


class ApprovalReminder(UuidModel, InsertOnlyModel):
    """``roles`` are who was reminded: those of the step, or those that the rule escalates to, who are told and do not decide."""

    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="reminders")
    payload_version = models.PositiveIntegerField()
    step = models.PositiveSmallIntegerField()
    stage = models.CharField(max_length=16, choices=[(stage.value, stage.value) for stage in ReminderStage])
    roles = ArrayField(models.CharField(max_length=ROLE_LENGTH), size=ROLES_MAX)
    sent_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request", "payload_version", "step", "stage"], name="reminder_once_a_step"
            )
        ]

    def __str__(self) -> str:
        return f"{self.stage.lower()} at step {self.step}"
