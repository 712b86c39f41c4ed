"""What other people agreed to and the ledger refused when it was to be booked."""

from django.db import models

from apps.kit.models import InsertOnlyModel, UuidModel


class Unbooked(UuidModel, InsertOnlyModel):
    """The refusal of a journal or a reversal that was approved, in the words and with the code of the ledger: one a request."""

    request = models.OneToOneField("approvals.ApprovalRequest", on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=60)
    detail = models.CharField(max_length=500)
    failed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.detail
