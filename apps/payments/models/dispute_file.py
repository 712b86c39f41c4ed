"""A file that proves something in a dispute."""

from typing import Self

from django.db import models
from django.db.models import Q

from apps.kit.models import LockingQuerySet, UuidModel
from apps.payments.contracts import EvidencePurpose

NAME_LENGTH = 120


class DisputeFileQuerySet(LockingQuerySet):
    def kept(self) -> Self:
        return self.filter(removed_at=None)


class DisputeFile(UuidModel):
    """One file for each ``purpose`` of a dispute; ``file_id`` is its artifact, whose ``size`` is in bytes."""

    dispute = models.ForeignKey("payments.Dispute", on_delete=models.PROTECT, related_name="files")
    purpose = models.CharField(
        max_length=16, choices=[(purpose.value, purpose.value) for purpose in EvidencePurpose]
    )
    name = models.CharField(max_length=NAME_LENGTH)
    media_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    file_id = models.UUIDField(unique=True)
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    objects = DisputeFileQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dispute", "purpose"],
                condition=Q(removed_at__isnull=True),
                name="dispute_file_one_for_a_purpose",
            )
        ]

    def __str__(self) -> str:
        return self.name
