"""The counted deed: what was asked for, whether anybody had to agree or not, so that a sum split in parts is seen whole."""

from django.db import models
from django.db.models import Q

from apps.approvals.models.request import HASH_LENGTH, PERSON_LENGTH, ApprovalRequest
from apps.approvals.models.rule import KIND_LENGTH
from apps.kit.models import CurrencyField, InsertOnlyModel, MinorField, UuidModel
from apps.kit.money import Money


class CountedDeed(UuidModel, InsertOnlyModel):
    """
    One deed with a sum, whether a rule counts its kind together or not yet; without ``request`` nobody had to agree to it.

    ``counterparty`` is the SHA-256 of who is at the other end, as the asker named him; empty where he named nobody.
    """

    kind = models.CharField(max_length=KIND_LENGTH)
    subject_id = models.UUIDField()
    subject_reference = models.CharField(max_length=64)
    request = models.ForeignKey(ApprovalRequest, null=True, on_delete=models.PROTECT, related_name="+")
    application = models.ForeignKey("access.Application", on_delete=models.PROTECT, related_name="+")
    person = models.CharField(max_length=PERSON_LENGTH, blank=True)
    counterparty = models.CharField(max_length=HASH_LENGTH, blank=True)
    amount_minor = MinorField()
    currency = CurrencyField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_id"], condition=Q(request__isnull=True), name="deed_counted_once"
            ),
            models.UniqueConstraint(
                fields=["request"], condition=Q(request__isnull=False), name="deed_counted_once_a_request"
            ),
        ]
        indexes = [models.Index(fields=["kind", "currency", "-created_at"], name="deed_by_kind")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_reference}"

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)


class SplitPart(UuidModel, InsertOnlyModel):
    """Another deed that a version of a request was counted together with, and took the steps of the whole sum for."""

    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="parts")
    payload_version = models.PositiveIntegerField()
    deed = models.ForeignKey(CountedDeed, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "payload_version", "deed"], name="split_part_once")
        ]

    def __str__(self) -> str:
        return f"with {self.deed_id}"
