"""The idempotency record: the answer that a repeated request gets again."""

from django.db import models

from apps.kit.models import UuidModel


class IdempotencyRecord(UuidModel):
    """Inserted in the transaction of the work that it answers for, removed by the purge after 72 hours."""

    application = models.ForeignKey("access.Application", on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=500)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["application", "key"], name="idempotency_key_once"),
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_age")]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.key}"
