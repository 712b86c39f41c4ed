"""The API key: what an application shows to be let in; only a digest of it is kept."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.kit.models import LockingQuerySet, UuidModel


class ApiKey(UuidModel):
    """
    ``prefix`` (``tsk_test_1a2b3c4d``) finds the row and may be shown, ``digest`` is the keyed hash of the whole key.

    A key without a branch reaches all of them.
    """

    application = models.ForeignKey("access.Application", on_delete=models.PROTECT, related_name="+")
    branch = models.ForeignKey(
        "access.Branch", on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=20)
    digest = models.CharField(max_length=64)
    last4 = models.CharField(max_length=4)
    scopes = ArrayField(models.CharField(max_length=64), default=list)
    created_by = models.ForeignKey(
        "access.Membership", on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = LockingQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        constraints = [
            models.UniqueConstraint(fields=["prefix"], name="apikey_prefix_once"),
            models.UniqueConstraint(fields=["digest"], name="apikey_digest_once"),
            models.CheckConstraint(condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="apikey_digest_form"),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=models.F("created_at")),
                name="apikey_expires_later",
                violation_error_message="The key would have expired already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…{self.last4})"

    def opens(self, now: datetime) -> bool:
        """Whether the key lets anybody in at this instant."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
