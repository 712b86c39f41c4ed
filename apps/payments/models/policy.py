"""What the organisation has chosen about money that comes otherwise than asked: one row, or none yet."""

from django.db import models
from django.db.models import Q

from apps.kit.models import LockingQuerySet, UuidModel, one_of
from apps.payments.contracts import CollectionTerms, LateMoney


class CollectionPolicy(UuidModel):
    """The terms in force; where there is no row, those of ``CollectionTerms`` as they stand."""

    is_only = models.BooleanField(default=True, unique=True)
    late_money = models.CharField(
        max_length=10,
        choices=[(choice.value, choice.value) for choice in LateMoney],
        default=LateMoney.ACCEPT.value,
    )
    refuses_unknown = models.BooleanField(default=False)
    refuses_other_sums = models.BooleanField(default=False)
    changed_at = models.DateTimeField()

    objects = LockingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(is_only=True), name="policy_is_only"),
            models.CheckConstraint(condition=one_of("late_money", LateMoney), name="policy_late_money_known"),
        ]

    def __str__(self) -> str:
        return self.late_money

    @property
    def terms(self) -> CollectionTerms:
        return CollectionTerms(LateMoney(self.late_money), self.refuses_unknown, self.refuses_other_sums)
