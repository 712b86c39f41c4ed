"""Routing: rules that say which accounts payments go through, and what was decided for each attempt."""

from typing import Any, Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from apps.kit.models import CurrencyField, InsertOnlyModel, LockingQuerySet, MinorField, UuidModel, one_of
from apps.kit.money import Money
from apps.payments.contracts import RoutingStrategy
from apps.payments.models.intent import METHOD_LENGTH

NAME_LENGTH = 80


class RoutingRuleQuerySet(LockingQuerySet):
    def of_branches(self, branch_ids: set[UUID] | None) -> Self:
        """Limit to the rules that hold in one of these branches; None means every branch."""
        if branch_ids is None:
            return self
        return self.filter(Q(branch__isnull=True) | Q(branch_id__in=branch_ids))

    def in_order(self) -> Self:
        """As they are asked: those in use, a branch's own before the organisation's, each by its place; then the others."""
        return self.order_by("-is_active", F("branch_id").asc(nulls_last=True), "position", "-id")


class RoutingRule(UuidModel):
    """
    Payments that fit its conditions go through its accounts; what is empty fits every payment.

    A rule is never changed: another version replaces it, or it is retired, once. So what an attempt was routed by can be read
    for ever; a trigger in the database says the same, of its accounts too.
    """

    name = models.CharField(max_length=NAME_LENGTH)
    version = models.PositiveSmallIntegerField(default=1)
    replaces = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()
    branch = models.ForeignKey("access.Branch", null=True, on_delete=models.PROTECT, related_name="+")
    for_application = models.ForeignKey(
        "access.Application", null=True, on_delete=models.PROTECT, related_name="+"
    )
    method = models.CharField(max_length=20, blank=True)
    currency = CurrencyField(blank=True)
    minimum_minor = MinorField(null=True)
    maximum_minor = MinorField(null=True)
    weekdays = models.CharField(max_length=7, blank=True)
    from_time = models.TimeField(null=True)
    to_time = models.TimeField(null=True)
    strategy = models.CharField(
        max_length=8,
        choices=[(item.value, item.value) for item in RoutingStrategy],
        default=RoutingStrategy.PRIORITY.value,
    )
    is_active = models.BooleanField(default=True)
    created_by = models.CharField(max_length=120)
    approved_by = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    objects = RoutingRuleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["position"],
                condition=Q(is_active=True, branch__isnull=True),
                name="routing_rule_place_once",
            ),
            models.UniqueConstraint(
                fields=["branch", "position"],
                condition=Q(is_active=True, branch__isnull=False),
                name="routing_rule_place_once_in_branch",
            ),
            models.CheckConstraint(
                condition=Q(minimum_minor__isnull=True, maximum_minor__isnull=True) | ~Q(currency=""),
                name="routing_rule_band_has_currency",
            ),
            models.CheckConstraint(
                condition=(Q(minimum_minor__isnull=True) | Q(minimum_minor__gte=0))
                & (Q(maximum_minor__isnull=True) | Q(maximum_minor__gt=0))
                & (
                    Q(minimum_minor__isnull=True)
                    | Q(maximum_minor__isnull=True)
                    | Q(maximum_minor__gt=F("minimum_minor"))
                ),
                name="routing_rule_band_not_empty",
            ),
            models.CheckConstraint(condition=Q(weekdays__regex="^[1-7]*$"), name="routing_rule_weekdays"),
            models.CheckConstraint(
                condition=Q(from_time__isnull=True, to_time__isnull=True)
                | (Q(from_time__isnull=False, to_time__isnull=False) & ~Q(from_time=F("to_time"))),
                name="routing_rule_window_whole",
            ),
            models.CheckConstraint(
                condition=one_of("strategy", RoutingStrategy), name="routing_rule_strategy_known"
            ),
            models.CheckConstraint(
                condition=Q(is_active=True, retired_at__isnull=True)
                | Q(is_active=False, retired_at__isnull=False),
                name="routing_rule_retired_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.name}"

    @property
    def minimum(self) -> Money | None:
        return None if self.minimum_minor is None else Money(self.minimum_minor, self.currency)

    @property
    def maximum(self) -> Money | None:
        return None if self.maximum_minor is None else Money(self.maximum_minor, self.currency)


class RoutingTarget(UuidModel, InsertOnlyModel):
    """One account of a rule, at its place from 1; ``weight`` is its share where the rule splits, null where it does not."""

    rule = models.ForeignKey(RoutingRule, on_delete=models.PROTECT, related_name="targets")
    account = models.ForeignKey("integrations.ProviderAccount", on_delete=models.PROTECT, related_name="+")
    place = models.PositiveSmallIntegerField()
    weight = models.PositiveSmallIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "place"], name="routing_target_place_once"),
            models.UniqueConstraint(fields=["rule", "account"], name="routing_target_account_once"),
            models.CheckConstraint(
                condition=Q(place__gte=1) & (Q(weight__isnull=True) | Q(weight__gte=1)),
                name="routing_target_from_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.place} of {self.rule_id}"


class RoutingDecision(UuidModel, InsertOnlyModel):
    """
    Why an attempt went through its account.

    ``rule`` is null where the account is that of the branch. ``methods`` are those by which the payer might be asked then, the
    preferred one first: he may choose others for the next attempt. ``candidates`` are the ids of the accounts that could have taken
    it, the chosen one first, ``dropped`` those that could not, each with its ``DropReason``.
    """

    attempt = models.OneToOneField(
        "payments.PaymentAttempt", on_delete=models.PROTECT, related_name="routing"
    )
    rule = models.ForeignKey(RoutingRule, null=True, on_delete=models.PROTECT, related_name="+")
    is_fallback = models.BooleanField(default=False)
    methods = ArrayField(models.CharField(max_length=METHOD_LENGTH))
    candidates: Any = models.JSONField()
    dropped: Any = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(methods__len__gt=0), name="routing_decision_has_methods"),
        ]

    def __str__(self) -> str:
        return f"routing of {self.attempt_id}"
