"""The lists that a provider keeps, of movements and of disputes: how far they have been read, and what in them is for people."""

from typing import Self
from uuid import UUID

from django.db import models

from apps.kit.models import CurrencyField, LockingQuerySet, MinorField, UuidModel
from apps.kit.money import Money
from apps.payments.contracts.listed import ListedMatter

CODE_LENGTH = 60


class PullCursor(models.Model):
    """
    How far the movements of one account have been read: completely up to ``pulled_until``.

    ``leased_until`` keeps a second reader away while one is at work; a reader that died lets go by time. ``started_at``
    is when the last reading began, ``failure_code`` why it was not complete. ``disputes_until``: all disputes that were opened
    before are known.
    """

    provider_account = models.OneToOneField(
        "integrations.ProviderAccount", on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    registered_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    pulled_until = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    disputes_until = models.DateTimeField(null=True)
    failure_code = models.CharField(max_length=CODE_LENGTH, blank=True)

    objects = LockingQuerySet.as_manager()

    def __str__(self) -> str:
        return str(self.provider_account_id)


class ListedMovementQuerySet(LockingQuerySet):
    def of_branches(self, branch_ids: set[UUID] | None) -> Self:
        """Limit to these branches; None means every branch."""
        return self if branch_ids is None else self.filter(provider_account__branch_id__in=branch_ids)


class ListedMovement(UuidModel):
    """
    A movement that a provider lists and that is for people, under the ``number`` that the provider gives it; it is booked
    nowhere by this row. ``matter`` says why it is here. ``amount_minor`` may be negative; ``fee_minor`` is the fee as listed, in
    ``fee_currency``, and ``attempt`` the payment that it is of, where that is known.
    """

    provider_account = models.ForeignKey(
        "integrations.ProviderAccount", on_delete=models.PROTECT, related_name="+"
    )
    number = models.CharField(max_length=120)
    kind = models.CharField(max_length=60)
    matter = models.CharField(max_length=16, choices=[(one.value, one.value) for one in ListedMatter])
    receipt = models.CharField(max_length=120, blank=True)
    amount_minor = MinorField()
    currency = CurrencyField()
    fee_minor = MinorField(null=True)
    fee_currency = CurrencyField(blank=True)
    attempt = models.ForeignKey(
        "payments.PaymentAttempt", null=True, on_delete=models.PROTECT, related_name="+"
    )
    occurred_at = models.DateTimeField(null=True)
    listed_at = models.DateTimeField()

    objects = ListedMovementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider_account", "number"], name="listed_movement_once")
        ]
        indexes = [models.Index(fields=["matter", "-id"], name="listed_movement_by_matter")]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def fee(self) -> Money | None:
        return None if self.fee_minor is None else Money(self.fee_minor, self.fee_currency)
