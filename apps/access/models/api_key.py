"""The API key: what an application shows to be let in; only a digest of it is kept."""

from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.kit.models import LockingQuerySet, UuidModel

LIFETIME_MAX = timedelta(days=365)
GRACE_MAX = timedelta(days=7)
NETWORKS_MAX = 20
NETWORK_LENGTH = 43


class ApiKey(UuidModel):
    """
    ``prefix`` (``tsk_test_1a2b3c4d``) finds the row and may be shown, ``digest`` is the keyed hash of the whole key.

    A key without a branch reaches all of them, one without networks comes from everywhere. One that was replaced works
    on until its grace ends; ``replaces`` is the one before. One that is for tokens opens nothing itself: it is a client
    of OAuth 2, exchanged for access tokens.
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
    allowed_networks = ArrayField(models.CharField(max_length=NETWORK_LENGTH), default=list, blank=True)
    is_for_tokens = models.BooleanField(default=False)
    replaces = models.OneToOneField(
        "access.ApiKey", on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    created_by = models.ForeignKey(
        "access.Membership", on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    replaced_at = models.DateTimeField(null=True, blank=True)
    grace_ends_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_ip = models.GenericIPAddressField(null=True, blank=True)
    last_refused_at = models.DateTimeField(null=True, blank=True)
    last_refused_ip = models.GenericIPAddressField(null=True, blank=True)

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
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True)
                | Q(expires_at__lte=models.F("created_at") + LIFETIME_MAX),
                name="apikey_expires_in_time",
                violation_error_message="A key opens for 365 days at most.",
            ),
            models.CheckConstraint(
                condition=Q(replaced_at__isnull=True, grace_ends_at__isnull=True)
                | Q(
                    replaced_at__isnull=False,
                    grace_ends_at__isnull=False,
                    grace_ends_at__gte=models.F("replaced_at"),
                    grace_ends_at__lte=models.F("replaced_at") + GRACE_MAX,
                ),
                name="apikey_grace_form",
            ),
            models.CheckConstraint(
                condition=Q(allowed_networks__len__lte=NETWORKS_MAX), name="apikey_networks_few"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…{self.last4})"

    @property
    def ends_at(self) -> datetime | None:
        """When the key stops to open by itself: at the end of its time or of its grace, whichever is first."""
        return min((end for end in (self.expires_at, self.grace_ends_at) if end), default=None)

    def opens(self, now: datetime) -> bool:
        """Whether the key lets anybody in at this instant."""
        return self.revoked_at is None and (self.ends_at is None or now < self.ends_at)
