"""What providers said that they hold for us: one row for each answer, only inserted."""

from collections.abc import Iterable
from typing import Self
from uuid import UUID

from django.db import models

from apps.integrations.models.account import ProviderAccount
from apps.integrations.models.callback import ProviderCallback
from apps.kit.models import CurrencyField, InsertOnlyModel, InsertOnlyQuerySet, MinorField, UuidModel
from apps.kit.money import Money


class ProviderBalanceReadingQuerySet(InsertOnlyQuerySet):
    def newest_of(self, account_ids: Iterable[UUID]) -> Self:
        """Return the newest reading of each of these accounts."""
        found = self.filter(account_id__in=list(account_ids))
        return found.order_by("account_id", "-read_at", "-id").distinct("account_id")


class ProviderBalanceReading(UuidModel, InsertOnlyModel):
    """
    One answer. ``total_minor`` is the sum of all purses, which are kept for people: name, what is there, what is available.

    ``told_at`` is the provider's time, null where it told none. The answer comes to an address that only the provider
    knows; the same answer twice is one row.
    """

    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="+")
    callback = models.ForeignKey(ProviderCallback, on_delete=models.PROTECT, related_name="+")
    ticket = models.CharField(max_length=120)
    total_minor = MinorField()
    currency = CurrencyField()
    purses = models.JSONField()
    told_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField()

    objects = ProviderBalanceReadingQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["account", "-read_at"], name="integrations_reading_account")]
        constraints = [
            models.UniqueConstraint(fields=["account", "ticket"], name="integrations_reading_ticket_once"),
        ]

    def __str__(self) -> str:
        return f"{self.total} {self.read_at:%d %b %Y %H:%M}"

    @property
    def total(self) -> Money:
        return Money(self.total_minor, self.currency)
