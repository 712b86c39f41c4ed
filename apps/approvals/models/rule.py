"""The rule: which deeds need approval, and the steps that they pass through."""

from typing import Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from apps.approvals.contracts import CountedBy
from apps.kit.models import CurrencyField, InsertOnlyModel, LockingQuerySet, MinorField, UuidModel
from apps.kit.money import Money

KIND_LENGTH = 40
ROLE_LENGTH = 50
ROLES_MAX = 20


class ApprovalRuleQuerySet(LockingQuerySet):
    def of_branches(self, branch_ids: set[UUID] | None) -> Self:
        """Limit to the rules that hold in one of these branches; None means every branch."""
        if branch_ids is None:
            return self
        return self.filter(Q(branch__isnull=True) | Q(branch_id__in=branch_ids))

    def holding(self, *, kind: str, branch_id: UUID | None) -> Self:
        """Active rules for deeds of a kind in a branch."""
        return self.filter(Q(branch__isnull=True) | Q(branch_id=branch_id), kind=kind, is_active=True)

    def matching(
        self, *, kind: str, money: Money | None, branch_id: UUID | None, is_open_above: bool = False
    ) -> Self:
        """
        Active rules that a deed falls under, the one that wins first: priority, then what is said most exactly.

        With ``is_open_above`` also those whose band its sum has passed.
        """
        found = self.holding(kind=kind, branch_id=branch_id)
        if money is None:
            found = found.filter(currency="", minimum_minor__isnull=True, maximum_minor__isnull=True)
        else:
            found = found.filter(
                Q(currency="") | Q(currency=money.currency),
                Q(minimum_minor__isnull=True) | Q(minimum_minor__lte=money.minor),
                Q() if is_open_above else Q(maximum_minor__isnull=True) | Q(maximum_minor__gt=money.minor),
            )
        return found.order_by(
            "-priority",
            F("branch_id").asc(nulls_last=True),
            "-currency",
            F("minimum_minor").desc(nulls_last=True),
            F("maximum_minor").asc(nulls_last=True),
            "id",
        )


class ApprovalRule(UuidModel):
    """
    Deeds of a kind, in a band of sums, a currency and a branch, need the steps of this rule.

    ``window_hours`` and ``window_by`` say which deeds are counted together; the hours after which a request that waits is
    called to mind count from the beginning of its step. A rule is never changed, only taken out of use: what a request was decided by can be read for ever.
    """

    kind = models.CharField(max_length=KIND_LENGTH)
    branch = models.ForeignKey("access.Branch", null=True, on_delete=models.PROTECT, related_name="+")
    currency = CurrencyField(blank=True)
    minimum_minor = MinorField(null=True)
    maximum_minor = MinorField(null=True)
    priority = models.SmallIntegerField(default=0)
    window_hours = models.PositiveSmallIntegerField(null=True)
    window_by = models.CharField(
        max_length=16, blank=True, choices=[(by.value, by.value) for by in CountedBy]
    )
    remind_after_hours = models.PositiveSmallIntegerField(null=True)
    escalate_after_hours = models.PositiveSmallIntegerField(null=True)
    escalate_roles = ArrayField(
        models.CharField(max_length=ROLE_LENGTH), size=ROLES_MAX, default=list, blank=True
    )
    is_active = models.BooleanField(default=True)
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField()
    deactivated_at = models.DateTimeField(null=True)

    objects = ApprovalRuleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(minimum_minor__isnull=True, maximum_minor__isnull=True) | ~Q(currency=""),
                name="rule_band_has_currency",
            ),
            models.CheckConstraint(
                condition=Q(minimum_minor__isnull=True) | Q(minimum_minor__gte=0),
                name="rule_minimum_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(maximum_minor__isnull=True) | Q(maximum_minor__gt=0),
                name="rule_maximum_positive",
            ),
            models.CheckConstraint(
                condition=Q(minimum_minor__isnull=True)
                | Q(maximum_minor__isnull=True)
                | Q(maximum_minor__gt=F("minimum_minor")),
                name="rule_band_not_empty",
            ),
            models.CheckConstraint(
                condition=Q(window_by="", window_hours__isnull=True)
                | (~Q(window_by="") & Q(window_hours__gte=1)),
                name="rule_window_whole",
            ),
            models.CheckConstraint(
                condition=Q(escalate_after_hours__isnull=True, escalate_roles__len=0)
                | Q(escalate_after_hours__gte=1, escalate_roles__len__gte=1),
                name="rule_escalation_whole",
            ),
            models.CheckConstraint(
                condition=Q(is_active=True, deactivated_at__isnull=True)
                | Q(is_active=False, deactivated_at__isnull=False),
                name="rule_deactivated_once",
            ),
        ]
        indexes = [models.Index(fields=["kind"], condition=Q(is_active=True), name="rule_active_by_kind")]

    def __str__(self) -> str:
        return f"{self.kind} from {self.minimum or 'any sum'}"

    @property
    def minimum(self) -> Money | None:
        return None if self.minimum_minor is None else Money(self.minimum_minor, self.currency)

    @property
    def maximum(self) -> Money | None:
        return None if self.maximum_minor is None else Money(self.maximum_minor, self.currency)


class ApprovalStep(UuidModel, InsertOnlyModel):
    """
    One step of a rule: ``needed`` people of the group, which is a set of roles by code; steps count from 1.

    After ``further_after_hours`` at the step people of ``further_roles`` belong to the group too.
    """

    rule = models.ForeignKey(ApprovalRule, on_delete=models.PROTECT, related_name="steps")
    sequence = models.PositiveSmallIntegerField()
    roles = ArrayField(models.CharField(max_length=ROLE_LENGTH), size=ROLES_MAX)
    needed = models.PositiveSmallIntegerField()
    further_roles = ArrayField(
        models.CharField(max_length=ROLE_LENGTH), size=ROLES_MAX, default=list, blank=True
    )
    further_after_hours = models.PositiveSmallIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "sequence"], name="step_sequence_once"),
            models.CheckConstraint(condition=Q(sequence__gte=1, needed__gte=1), name="step_from_one"),
            models.CheckConstraint(condition=Q(roles__len__gte=1), name="step_has_a_group"),
            models.CheckConstraint(
                condition=Q(further_after_hours__isnull=True, further_roles__len=0)
                | Q(further_after_hours__gte=1, further_roles__len__gte=1),
                name="step_further_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"step {self.sequence}: {self.needed} of {', '.join(self.roles)}"
