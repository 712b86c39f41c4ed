"""What the organisation has chosen about money that comes otherwise than asked: one row, or none yet."""

from django.db import models
from django.db.models import Q

from apps.kit.models import LockingQuerySet, UuidModel, one_of
from apps.payments.contracts import REPEATED_WITHIN_HOURS_MAX, CollectionTerms, LateMoney


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
    takes_parts = models.BooleanField(default=False)
    repeated_within_hours = models.PositiveSmallIntegerField(default=24)
    changed_at = models.DateTimeField()

    objects = LockingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(is_only=True), name="policy_is_only"),
            models.CheckConstraint(condition=one_of("late_money", LateMoney), name="policy_late_money_known"),
            models.CheckConstraint(
                condition=Q(
                    repeated_within_hours__gte=1, repeated_within_hours__lte=REPEATED_WITHIN_HOURS_MAX
                ),
                name="policy_repeated_within",
            ),
        ]

    def __str__(self) -> str:
        return self.late_money

    @property
    def terms(self) -> CollectionTerms:
        return CollectionTerms(
            LateMoney(self.late_money),
            self.refuses_unknown,
            self.refuses_other_sums,
            self.takes_parts,
            self.repeated_within_hours,
        )
