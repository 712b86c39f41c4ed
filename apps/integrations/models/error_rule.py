"""What an organisation takes a provider's refusals for, where that differs from the adapter's own table."""

from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import Q

from apps.integrations.contracts import Flow, provider_choices
from apps.kit.models import LockingQuerySet, UuidModel, one_of

RETRY_AFTER_MAX = 3600
"""Seconds: a payer who was asked waits no longer for another try."""


class ProviderErrorRuleQuerySet(LockingQuerySet):
    def of_provider(self, provider: str) -> Self:
        return self.filter(provider=provider, is_enabled=True)


class ProviderErrorRule(UuidModel):
    """
    A refusal of one flow, by its code and a fragment of its text (any where empty), and what it stands for here.

    ``is_open`` makes a refusal of a request, and a result that says no, an open outcome, which is asked after; nothing can
    make an open outcome a refusal. ``payer_message`` replaces the text for people, where there is one.
    ``retry_after_seconds`` is how long to wait before a request that never left is sent again, in place of our own plan.
    ``may_fall_back``: the refusal is the account's or the rail's fault, so another account may ask the payer; never for an open
    outcome, nor for what the payer said.
    """

    provider = models.CharField(max_length=16, choices=provider_choices)
    flow = models.CharField(max_length=10, choices=[(item.value, item.value) for item in Flow])
    code = models.CharField(max_length=32)
    contains = models.CharField(max_length=100, default="", blank=True)
    reason_code = models.CharField(max_length=64)
    is_open = models.BooleanField(default=False)
    payer_message = models.CharField(max_length=200, default="", blank=True)
    retry_after_seconds = models.PositiveSmallIntegerField(null=True, blank=True)
    may_fall_back = models.BooleanField(default=False)
    is_enabled = models.BooleanField(default=True)
    changed_at = models.DateTimeField()

    objects = ProviderErrorRuleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "flow", "code", "contains"], name="integrations_error_rule_once"
            ),
            models.CheckConstraint(condition=one_of("flow", Flow), name="integrations_error_rule_flow"),
            models.CheckConstraint(
                condition=~Q(code="") & ~Q(reason_code=""), name="integrations_error_rule_named"
            ),
            models.CheckConstraint(
                condition=Q(retry_after_seconds__isnull=True)
                | Q(retry_after_seconds__range=(1, RETRY_AFTER_MAX)),
                name="integrations_error_rule_retry",
            ),
            models.CheckConstraint(
                condition=Q(is_open=False) | Q(may_fall_back=False), name="integrations_error_rule_fall_back"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.flow} {self.code}"

    @property
    def retry_after(self) -> timedelta | None:
        return None if self.retry_after_seconds is None else timedelta(seconds=self.retry_after_seconds)

    def fits(self, text: str) -> bool:
        """Say whether it speaks of a refusal with this text; upper and lower case are one."""
        return self.contains.casefold() in text.casefold()
