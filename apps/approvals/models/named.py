"""What a version names: rows of any app, and who made them."""

from django.db import models

from apps.approvals.models.request import PERSON_LENGTH, ApprovalRequest
from apps.kit.models import InsertOnlyModel, UuidModel

OBJECT_LENGTH = 64


class NamedRow(UuidModel, InsertOnlyModel):
    """
    A row that a version of a request names, as the audit trail calls it.

    ``maker`` is the person who made it, as far as the row itself says so; whoever has changed it stands on the trail, and
    is looked up there when somebody decides: ``approvals_has_touched`` in the database is the one place that judges it.
    """

    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="named")
    payload_version = models.PositiveIntegerField()
    object_type = models.CharField(max_length=OBJECT_LENGTH)
    object_id = models.CharField(max_length=OBJECT_LENGTH)
    maker = models.CharField(max_length=PERSON_LENGTH, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request", "payload_version", "object_type", "object_id"], name="named_row_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.object_type} {self.object_id}"
