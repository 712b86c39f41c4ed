"""Where each audit trail had come to: kept apart from the trails, so that none loses its end unnoticed."""

from django.db import models

from apps.kit.trail import ChainModel


class TrailHead(ChainModel):
    """The last link of a chain as a sealer left it; ``chain`` is the organisation's id, or ``platform``. Written with the links, never changed."""

    chain = models.CharField(max_length=36)
    seq = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)
    sealed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain", "seq"], name="trail_head_once")]

    def __str__(self) -> str:
        return f"{self.chain} {self.seq}"
