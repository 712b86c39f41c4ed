"""Movements as a provider lists them: how far an account has been read, and every row that was found, for ever."""

from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import Exists, OuterRef, Q

from apps.kit.models import (
    CurrencyField,
    InsertOnlyModel,
    InsertOnlyQuerySet,
    LockingQuerySet,
    MinorField,
    UuidModel,
)
from apps.kit.money import Money
from apps.payments.models.attempt import PaymentAttempt

CODE_LENGTH = 60
NOTE_LENGTH = 300


class PullCursor(models.Model):
    """
    How far the movements of one account have been read: completely up to ``pulled_until``.

    ``leased_until`` keeps a second reader away while one is at work; a reader that died lets go by time. ``started_at``
    is when the last reading began, ``failure_code`` why it was not complete.
    """

    provider_account = models.OneToOneField(
        "integrations.ProviderAccount", on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    registered_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    pulled_until = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    failure_code = models.CharField(max_length=CODE_LENGTH, blank=True)

    objects = LockingQuerySet.as_manager()

    def __str__(self) -> str:
        return str(self.provider_account_id)


class PulledTransactionQuerySet(InsertOnlyQuerySet):
    def of_branches(self, branch_ids: set[UUID] | None) -> Self:
        """Limit to these branches; None means every branch."""
        return self if branch_ids is None else self.filter(branch_id__in=branch_ids)

    def unmatched(self) -> Self:
        """Rows that are of no attempt, nor booked under their receipt since: money that nobody has explained yet."""
        booked = PaymentAttempt.objects.filter(
            provider_account=OuterRef("provider_account"), provider_receipt=OuterRef("receipt")
        )
        return self.filter(~Exists(booked), attempt=None)


class PulledTransaction(UuidModel, InsertOnlyModel):
    """
    One movement as a provider told it, kept once per account and receipt.

    ``attempt`` is the one that it was recorded for; without one, ``note`` says why nothing was booked then. ``payer``
    and ``told_at`` are texts as they came.
    """

    provider_account = models.ForeignKey(
        "integrations.ProviderAccount", on_delete=models.PROTECT, related_name="+"
    )
    branch = models.ForeignKey("access.Branch", on_delete=models.PROTECT, related_name="+")
    receipt = models.CharField(max_length=40)
    amount_minor = MinorField()
    currency = CurrencyField()
    reference = models.CharField(max_length=60, blank=True)
    payer = models.CharField(max_length=64, blank=True)
    told_at = models.CharField(max_length=60, blank=True)
    kind = models.CharField(max_length=60, blank=True)
    attempt = models.ForeignKey(
        "payments.PaymentAttempt", null=True, on_delete=models.PROTECT, related_name="+"
    )
    note = models.CharField(max_length=NOTE_LENGTH, blank=True)
    pulled_at = models.DateTimeField()

    objects = PulledTransactionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider_account", "receipt"], name="pulled_receipt_once"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="pulled_amount_positive"),
            models.CheckConstraint(
                condition=Q(attempt__isnull=False, note="") | Q(Q(attempt__isnull=True), ~Q(note="")),
                name="pulled_matched_or_noted",
            ),
        ]
        indexes = [
            models.Index(fields=["-id"], condition=Q(attempt__isnull=True), name="pulled_unmatched"),
        ]

    def __str__(self) -> str:
        return f"{self.receipt} ({self.money})"

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)
