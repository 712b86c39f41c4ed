"""The transfer: what we owe a party, paid to its account at the provider."""

from datetime import datetime
from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django_fsm import transition

from apps.disbursements.contracts import TransferStatus, TransferVerdict
from apps.disbursements.models.order import (
    CODE_LENGTH,
    MESSAGE_LENGTH,
    PROGRESS_FIELDS,
    TICKET_LENGTH,
    Order,
    OrderQuerySet,
)
from apps.kit.judged import JUDGED_FIELDS, Judged
from apps.kit.models import MinorField
from apps.kit.money import Money

REFERENCE_LENGTH = 64

MORE_PROGRESS_FIELDS = [
    "approval_id",
    "reversed_minor",
    "reversing_minor",
    "verdict",
    "verdict_ticket",
    "verdict_minor",
    *JUDGED_FIELDS,
]


class TransferQuerySet(OrderQuerySet):
    def of_branches(self, branch_ids: set[UUID] | None) -> Self:
        """Limit to these branches; None means every branch."""
        return self if branch_ids is None else self.filter(branch_id__in=branch_ids)

    def of_applications(self, application_ids: set[UUID] | None) -> Self:
        """Limit to these applications; None means every application."""
        return self if application_ids is None else self.filter(application_id__in=application_ids)


class Transfer(Judged, Order):
    """
    One sum that goes to a party's account at the provider.

    It is booked as on its way when it is asked for, so that what is owed is paid once; what fails is booked back.
    ``reversed_minor`` came back of it, ``reversing_minor`` is being taken back: never more together than was transferred.
    ``verdict`` is what ``verdict_by`` says of an UNKNOWN one, and why: that the provider moved ``verdict_minor`` under its id
    ``verdict_ticket``, or nothing. It waits for its approval until ``judged_at``, when it ended the transfer.
    """

    connected_account = models.ForeignKey(
        "disbursements.ConnectedAccount", on_delete=models.PROTECT, related_name="transfers"
    )
    branch = models.ForeignKey("access.Branch", on_delete=models.PROTECT, related_name="+")
    application = models.ForeignKey("access.Application", on_delete=models.PROTECT, related_name="+")
    provider = models.CharField(max_length=20)
    provider_account = models.ForeignKey(
        "integrations.ProviderAccount", on_delete=models.PROTECT, related_name="+"
    )
    reference = models.CharField(max_length=REFERENCE_LENGTH)
    approval_id = models.UUIDField(null=True)
    reversed_minor = MinorField(default=0)
    reversing_minor = MinorField(default=0)
    verdict = models.CharField(
        max_length=16, choices=[(one.value, one.value) for one in TransferVerdict], blank=True
    )
    verdict_ticket = models.CharField(max_length=TICKET_LENGTH, blank=True)
    verdict_minor = MinorField(null=True)

    objects = TransferQuerySet.as_manager()

    class Meta:
        constraints = [
            *Order.Meta.constraints,
            models.CheckConstraint(condition=~Q(reference=""), name="transfer_has_reference"),
            models.CheckConstraint(
                condition=Q(reversed_minor__gte=0, reversing_minor__gte=0)
                & (
                    Q(
                        verdict_minor__isnull=True,
                        amount_minor__gte=F("reversed_minor") + F("reversing_minor"),
                    )
                    | Q(
                        verdict_minor__isnull=False,
                        verdict_minor__gte=F("reversed_minor") + F("reversing_minor"),
                    )
                ),
                name="transfer_not_reversed_beyond_itself",
            ),
            models.CheckConstraint(
                condition=Q(
                    verdict="",
                    verdict_ticket="",
                    verdict_minor__isnull=True,
                    verdict_reason="",
                    verdict_by="",
                    verdict_approval_id__isnull=True,
                    judged_at__isnull=True,
                )
                | (
                    (
                        Q(
                            verdict=TransferVerdict.MADE.value,
                            verdict_minor__isnull=False,
                            verdict_minor__gt=0,
                        )
                        & ~Q(verdict_ticket="")
                        | Q(
                            verdict=TransferVerdict.NOT_MADE.value,
                            verdict_ticket="",
                            verdict_minor__isnull=True,
                        )
                    )
                    & ~Q(verdict_reason="")
                    & ~Q(verdict_by="")
                    & Q(verdict_approval_id__isnull=False, unknown_at__isnull=False)
                ),
                name="transfer_verdict_whole",
            ),
            models.CheckConstraint(
                condition=Q(status=TransferStatus.SUCCEEDED.value) | Q(reversed_minor=0, reversing_minor=0),
                name="transfer_reversed_once_made",
            ),
            models.UniqueConstraint(
                fields=["provider_account", "ticket"], condition=~Q(ticket=""), name="transfer_ticket_once"
            ),
            models.UniqueConstraint(fields=["connected_account", "nonce"], name="transfer_nonce_once"),
        ]
        indexes = [
            *Order.Meta.indexes,
            models.Index(fields=["branch", "-id"], name="transfer_by_branch"),
            models.Index(fields=["connected_account", "-id"], name="transfer_by_account"),
        ]

    def __str__(self) -> str:
        return f"{self.money} {self.reference}"

    @property
    def reversible(self) -> Money:
        """What of it can still be taken back: nothing before it was made."""
        if self.status != TransferStatus.SUCCEEDED:
            return Money.zero(self.currency)
        return Money(self.moved.minor - self.reversed_minor - self.reversing_minor, self.currency)

    @property
    def moved(self) -> Money:
        """What the provider moves, or moved: as asked for, unless people agreed that it was another sum."""
        return self.money if self.judged_at is None else self.said_moved

    @property
    def said_moved(self) -> Money:
        """What a person says that the provider moved; as asked for where nobody says a sum."""
        return Money(self.amount_minor if self.verdict_minor is None else self.verdict_minor, self.currency)

    @property
    def reversed(self) -> Money:
        return Money(self.reversed_minor, self.currency)

    @property
    def reversing(self) -> Money:
        return Money(self.reversing_minor, self.currency)

    def save_progress(self) -> None:
        self.save(update_fields=[*PROGRESS_FIELDS, *MORE_PROGRESS_FIELDS])

    def say(self, moved: Money | None, *, ticket: str, reason: str, by: str) -> None:
        """A person says what became of it: so much was moved, or nothing."""
        self.verdict = (TransferVerdict.NOT_MADE if moved is None else TransferVerdict.MADE).value
        self.verdict_minor = None if moved is None else moved.minor
        self.verdict_ticket = ticket
        self.say_why(reason, by=by)

    def unsay(self) -> None:
        super().unsay()
        self.verdict = self.verdict_ticket = ""
        self.verdict_minor = None

    def hold_reversal(self, money: Money) -> None:
        """A part of it is being taken back."""
        self.reversing_minor += money.minor

    def release_reversal(self, money: Money) -> None:
        """A part of it stays where it is after all."""
        self.reversing_minor -= money.minor

    def take_back(self, asked: Money, returned: Money) -> None:
        """Of a part that was being taken back, so much has come; the rest of it stays with the party."""
        self.reversing_minor -= asked.minor
        self.reversed_minor += returned.minor

    @transition("status", source=TransferStatus.REQUESTED, target=TransferStatus.AWAITING_APPROVAL)
    def await_approval(self, *, approval_id: UUID) -> None:
        self.approval_id = approval_id
        self.next_request_at = None

    @transition("status", source=TransferStatus.AWAITING_APPROVAL, target=TransferStatus.REQUESTED)
    def approve(self, *, at: datetime) -> None:
        self.next_request_at = at

    @transition("status", source=TransferStatus.AWAITING_APPROVAL, target=TransferStatus.CANCELLED)
    def cancel(self, *, code: str, message: str, at: datetime) -> None:
        """End a transfer that was never sent, nor will be."""
        self.failure_code, self.failure_message = code[:CODE_LENGTH], message[:MESSAGE_LENGTH]
        self.closed_at = at
