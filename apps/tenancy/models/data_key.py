"""The key that encrypts an organisation's secrets, itself wrapped by the master key."""

from django.db import models

from apps.kit import clock
from apps.kit.models import UuidModel
from apps.tenancy.models.organisation import Organisation


class DataKey(UuidModel):
    """One version; the newest seals, all open. ``wrapped`` is 32 random bytes sealed by the master key."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveSmallIntegerField()
    wrapped = models.BinaryField()
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "version"], name="one_key_per_version")
        ]
