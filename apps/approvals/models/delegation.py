"""The delegation: one person decides in the name of another for a time."""

from datetime import datetime
from typing import Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from apps.approvals.models.request import REASON_LENGTH
from apps.approvals.models.rule import KIND_LENGTH
from apps.kit.models import CurrencyField, LockingQuerySet, MinorField, UuidModel
from apps.kit.money import Money

KINDS_MAX = 50


class ApprovalDelegationQuerySet(LockingQuerySet):
    def in_force(self, *, now: datetime) -> Self:
        """Delegations that hold at this instant, as far as they themselves say."""
        return self.filter(revoked_at__isnull=True, starts_at__lte=now, ends_at__gt=now)


class ApprovalDelegation(UuidModel):
    """
    ``delegate`` may decide what ``delegator`` may decide himself, from ``starts_at`` until before ``ends_at``.

    No kinds means all of them, no maximum any sum. What the delegator may do is asked at each decision, so a delegation
    gives never more than he has then; what was delegated to him he cannot pass on. One that a key gave is about the requests
    of its ``application`` only. It is never changed, only revoked.
    """

    delegator = models.ForeignKey("access.Membership", on_delete=models.PROTECT, related_name="+")
    delegate = models.ForeignKey("access.Membership", on_delete=models.PROTECT, related_name="+")
    application = models.ForeignKey(
        "access.Application", null=True, on_delete=models.PROTECT, related_name="+"
    )
    kinds = ArrayField(models.CharField(max_length=KIND_LENGTH), size=KINDS_MAX, default=list, blank=True)
    currency = CurrencyField(blank=True)
    maximum_minor = MinorField(null=True)
    reason = models.CharField(max_length=REASON_LENGTH)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField()
    revoked_by = models.CharField(max_length=120, blank=True)
    revoked_at = models.DateTimeField(null=True)

    objects = ApprovalDelegationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(delegator=F("delegate")), name="delegation_to_another"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="delegation_ends_later"),
            models.CheckConstraint(condition=~Q(reason=""), name="delegation_has_reason"),
            models.CheckConstraint(
                condition=Q(maximum_minor__isnull=True, currency="")
                | (Q(maximum_minor__gt=0) & ~Q(currency="")),
                name="delegation_maximum_has_currency",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
                name="delegation_revoked_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["delegate", "ends_at"],
                condition=Q(revoked_at__isnull=True),
                name="delegation_by_delegate",
            )
        ]

    def __str__(self) -> str:
        return f"{self.delegate} for {self.delegator}"

    @property
    def maximum(self) -> Money | None:
        return None if self.maximum_minor is None else Money(self.maximum_minor, self.currency)

    def covers(self, *, kind: str, money: Money | None, application_id: UUID) -> bool:
        """Say whether a request of this kind, sum and application is among what is delegated."""
        if self.kinds and kind not in self.kinds:
            return False
        if self.application_id is not None and self.application_id != application_id:
            return False
        if self.maximum is None:
            return True
        return money is not None and money.currency == self.currency and money.minor <= self.maximum.minor
