"""The access token: what a key is exchanged for, for a quarter of an hour; only a digest of it is kept."""

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.kit.models import UuidModel

TOKEN_LIFETIME_MAX = timedelta(hours=1)


class AccessToken(UuidModel):
    """It opens what its key opens, from where its key may come, as far as its own scopes; it ends with its key."""

    key = models.ForeignKey("access.ApiKey", on_delete=models.PROTECT, related_name="+")
    prefix = models.CharField(max_length=20)
    digest = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=64), default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["prefix"], name="accesstoken_prefix_once"),
            models.UniqueConstraint(fields=["digest"], name="accesstoken_digest_once"),
            models.CheckConstraint(
                condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="accesstoken_digest_form"
            ),
            models.CheckConstraint(
                condition=Q(
                    expires_at__gt=models.F("created_at"),
                    expires_at__lte=models.F("created_at") + TOKEN_LIFETIME_MAX,
                ),
                name="accesstoken_expires_soon",
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="accesstoken_end")]

    def __str__(self) -> str:
        return f"{self.prefix}…"
