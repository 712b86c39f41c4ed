"""The end of an organisation: asked for, exported, waiting out its grace, closed for good, dropped, or called off."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import F, Q

from apps.kit.models import LockingQuerySet, UuidModel
from apps.tenancy.models.organisation import Organisation

GRACE_MIN = timedelta(days=30)
QUIET = timedelta(minutes=5)
"""How long nothing may have reached the organisation before its last export: what was under way has ended by then."""


class OffboardingQuerySet(LockingQuerySet):
    def live(self) -> Self:
        return self.filter(cancelled_at__isnull=True, dropped_at__isnull=True)


class Offboarding(UuidModel):
    """
    ``exported_at`` and the archive are those of the newest export. ``closed_at`` is when the grace had ended and callbacks
    were no longer taken; only an export after that lets the schema be dropped.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)
    asked_by = models.CharField(max_length=120)
    asked_at = models.DateTimeField()
    drop_after = models.DateTimeField()
    exported_at = models.DateTimeField(null=True)
    archive_key = models.CharField(max_length=200, blank=True)
    archive_sha256 = models.CharField(max_length=64, blank=True)
    archive_size = models.BigIntegerField(null=True)
    closed_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True)

    objects = OffboardingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation"],
                name="one_live_offboarding",
                condition=Q(cancelled_at__isnull=True),
            ),
            models.CheckConstraint(
                condition=Q(cancelled_at__isnull=True) | Q(closed_at__isnull=True),
                name="offboarding_cancelled_in_time",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | Q(closed_at__gte=F("drop_after")),
                name="offboarding_closed_after_grace",
            ),
            models.CheckConstraint(
                condition=Q(dropped_at__isnull=True)
                | Q(exported_at__gt=F("closed_at"), dropped_at__gte=F("exported_at")),
                name="offboarding_dropped_after_export",
            ),
        ]

    @property
    def is_live(self) -> bool:
        return self.cancelled_at is None and self.dropped_at is None

    @property
    def is_exported_whole(self) -> bool:
        """Whether the newest export was made when nothing had come in for a while after the close."""
        if self.closed_at is None or self.exported_at is None:
            return False
        return self.exported_at >= self.closed_at + QUIET

    def is_due(self, at: datetime) -> bool:
        return self.is_to_be_exported(at) or self.is_to_be_closed(at) or self.is_to_be_dropped(at)

    def is_to_be_exported(self, at: datetime) -> bool:
        """At once, and again when nothing has come in for a while after the close."""
        if not self.is_live or self.exported_at is None:
            return self.is_live
        return self.closed_at is not None and not self.is_exported_whole and at >= self.closed_at + QUIET

    def is_to_be_closed(self, at: datetime) -> bool:
        return self.is_live and self.closed_at is None and at >= self.drop_after

    def is_to_be_dropped(self, at: datetime) -> bool:
        """Only what was exported after the close, and never before the day."""
        return self.is_live and self.is_exported_whole and at >= self.drop_after
