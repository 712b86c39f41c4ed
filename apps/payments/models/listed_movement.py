"""The listed movement: what a provider lists and nobody could explain when it was read, and what became of it."""

from datetime import datetime
from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from apps.kit.models import CurrencyField, LockingQuerySet, MinorField, StatefulModel, UuidModel, one_of
from apps.kit.money import Money
from apps.payments.contracts.listed import ListedMatter, ListedStatus
from apps.payments.models.attempt import PaymentAttempt

REASON_LENGTH = 200
CLOSED_STATES = ["EXPLAINED", "PUT_AWAY"]
PROGRESS_FIELDS = ["status", "matter", "attempt", "closed_at", "closed_by", "reason"]
"""What changes after it was listed: saved together, under the row's lock."""


class ListedMovementQuerySet(LockingQuerySet):
    def of_branches(self, branch_ids: set[UUID] | None) -> Self:
        """Limit to these branches; None means every branch."""
        return self if branch_ids is None else self.filter(provider_account__branch_id__in=branch_ids)

    def open(self) -> Self:
        """Those that are left for people."""
        return self.filter(status=ListedStatus.OPEN)


class ListedMovement(UuidModel, StatefulModel):
    """
    A movement that a provider lists and that is for people, under the ``number`` that the provider gives it; it is booked
    nowhere by this row. ``matter`` says why it is here. ``amount_minor`` may be negative: money that went out; ``fee_minor`` is the
    fee as listed, in ``fee_currency``, and ``attempt`` the payment that it is of, where that is known. ``about`` (a
    ``NudgeKind``) and ``ticket`` are what the list said of the payment or refund that it is of.

    It is closed once, by what explains it or by a person who puts it away: ``closed_at``, ``closed_by`` and ``reason`` say when, who
    and why, and nothing of a closed one changes; a trigger in the database says the same.
    """

    provider_account = models.ForeignKey(
        "integrations.ProviderAccount", on_delete=models.PROTECT, related_name="+"
    )
    number = models.CharField(max_length=120)
    kind = models.CharField(max_length=60)
    about = models.CharField(max_length=16)
    ticket = models.CharField(max_length=120, blank=True)
    matter = models.CharField(max_length=16, choices=[(one.value, one.value) for one in ListedMatter])
    status = FSMField(
        max_length=12,
        choices=[(one.value, one.value) for one in ListedStatus],
        default=ListedStatus.OPEN.value,
        protected=True,
    )
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
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=120, blank=True)
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)

    objects = ListedMovementQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("listed movements")
        constraints = [
            models.UniqueConstraint(fields=["provider_account", "number"], name="listed_movement_once"),
            models.CheckConstraint(
                condition=Q(status=ListedStatus.OPEN.value, closed_at__isnull=True, closed_by="", reason="")
                | (
                    one_of("status", CLOSED_STATES)
                    & Q(closed_at__isnull=False)
                    & ~Q(closed_by="")
                    & ~Q(reason="")
                ),
                name="listed_movement_closed_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "matter", "-id"], name="listed_movement_by_status"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def fee(self) -> Money | None:
        return None if self.fee_minor is None else Money(self.fee_minor, self.fee_currency)

    @property
    def is_open(self) -> bool:
        return self.status == ListedStatus.OPEN

    def save_progress(self) -> None:
        self.save(update_fields=PROGRESS_FIELDS)

    def differ_from(self, attempt: PaymentAttempt) -> None:
        """It is of this payment, which is booked with another fee."""
        self.matter = ListedMatter.FEE_DIFFERS
        self.attempt = attempt

    @transition(status, source=ListedStatus.OPEN, target=ListedStatus.EXPLAINED)
    def explain(self, *, attempt: PaymentAttempt | None, reason: str, by: str, at: datetime) -> None:
        """What it is of is booked; ``attempt`` is the payment, where it is of one."""
        self.attempt = attempt
        self._close(reason=reason, by=by, at=at)

    @transition(status, source=ListedStatus.OPEN, target=ListedStatus.PUT_AWAY)
    def put_away(self, *, reason: str, by: str, at: datetime) -> None:
        """A person says that nothing is left to be done about it."""
        self._close(reason=reason, by=by, at=at)

    def _close(self, *, reason: str, by: str, at: datetime) -> None:
        self.reason = reason
        self.closed_by = by
        self.closed_at = at
