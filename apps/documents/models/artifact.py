"""One stored file: where it lies and what its bytes must be."""

from django.db import models

from apps.documents.contracts import ArtifactKind, StoredFile
from apps.kit.models import InsertOnlyModel, UuidModel


class Artifact(UuidModel, InsertOnlyModel):
    """``sha256`` is hex over the bytes; ``source_type`` and ``source_id`` name what the file shows. Insert-only."""

    kind = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in ArtifactKind])
    source_type = models.CharField(max_length=40)
    source_id = models.UUIDField()
    storage_key = models.CharField(max_length=200, unique=True)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    content_type = models.CharField(max_length=100)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source_type", "source_id", "kind"], name="one_file_of_a_kind"),
            models.CheckConstraint(condition=models.Q(sha256__regex=r"^[0-9a-f]{64}$"), name="sha256_is_hex"),
        ]

    def __str__(self) -> str:
        return self.storage_key

    def as_file(self) -> StoredFile:
        return StoredFile(self.id, self.source_id, self.sha256, self.size, self.content_type)
