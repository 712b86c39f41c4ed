"""The pay page of an intent: whoever holds its link sees what is asked and pays it from his own phone."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from apps.kit.models import LockingQuerySet, UuidModel
from apps.payments.models.intent import PaymentIntent


class PayPageQuerySet(LockingQuerySet):
    def good(self, now: datetime) -> Self:
        """Pages whose links open something at ``now``."""
        return self.filter(revoked_at__isnull=True, expires_at__gt=now)


class PayPage(UuidModel):
    """
    The right to see and pay one intent by a link. Only the digest of its secret is kept.

    An intent has one page at a time: a new link revokes the one before.
    """

    intent = models.ForeignKey("payments.PaymentIntent", on_delete=models.PROTECT, related_name="+")
    branch = models.ForeignKey("access.Branch", on_delete=models.PROTECT, related_name="+")
    application = models.ForeignKey("access.Application", on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    objects = PayPageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["intent"], condition=Q(revoked_at__isnull=True), name="pay_page_one_link"
            ),
        ]

    def __str__(self) -> str:
        return f"Pay page of {self.intent_id}"

    @classmethod
    def is_open_for(cls, intent: PaymentIntent, *, now: datetime) -> bool:
        """Say whether a payer holds a link to this intent, by which he may be asked once more."""
        return cls.objects.good(now).filter(intent_id=intent.id).exists()
