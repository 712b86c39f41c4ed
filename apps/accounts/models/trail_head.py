"""Where each audit trail had come to: kept apart from the trails, so that none loses its end unnoticed."""

from django.db import models

from apps.kit.trail import ChainModel


class TrailHead(ChainModel):
    """The last link of a chain as a sealer left it; ``schema`` says whose chain. Written with the links, never changed."""

    schema = models.CharField(max_length=63)
    seq = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)
    sealed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schema", "seq"], name="trail_head_once")]

    def __str__(self) -> str:
        return f"{self.schema} {self.seq}"
