"""The template schema as SQL, from which new organisations are restored."""

from django.db import models

from apps.kit import clock
from apps.kit.models import UuidModel


class SchemaSnapshot(UuidModel):
    """A dump of the template made by exactly this build: ``fingerprint`` covers its migrations and SQL files."""

    fingerprint = models.CharField(max_length=64, unique=True)
    sql = models.TextField()
    created_at = models.DateTimeField(default=clock.now, editable=False)
