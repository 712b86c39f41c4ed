"""The inbound receipt: money that arrived at an account of ours, once, whoever told of it."""

import re
from datetime import datetime
from typing import Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import RETURN_VALUE, FSMField, transition

from apps.integrations.ports import InboundReport
from apps.kit.models import CurrencyField, LockingQuerySet, MinorField, StatefulModel, UuidModel, one_of
from apps.kit.money import Money
from apps.payments.contracts import InboundSource, InboundStatus
from apps.payments.models.attempt import PaymentAttempt
from apps.payments.models.dispute import Dispute
from apps.payments.models.intent import PaymentIntent

RECEIPT_LENGTH = 40
REFERENCE_LENGTH = 60
PAYER_LENGTH = 64
NAME_LENGTH = 120
REASON_LENGTH = 300
WAITING_STATES = [InboundStatus.SUSPENSE.value, InboundStatus.DUPLICATE_SUSPECTED.value]
LEFT_STATES = [*WAITING_STATES, InboundStatus.UNCONFIRMED.value]
"""Money that somebody has to look at: what waits, and what the provider has not confirmed yet."""
PAYING_STATES = [
    InboundStatus.MATCHED.value,
    InboundStatus.ASSIGNED.value,
    InboundStatus.GIVING_BACK.value,
]
TAKEN = "Dispute %s was lost and took it."
CLAIMED = "A payer says that it is of %s."
DENIED = "The provider says otherwise: %s."
NO_LETTER_OR_DIGIT = re.compile(r"[^A-Z0-9]")

PROGRESS_FIELDS = [
    "status",
    "application",
    "attempt",
    "intent",
    "taken_by",
    "reference",
    "reference_key",
    "payer",
    "payer_name",
    "kind",
    "sources",
    "reason",
    "owner",
    "occurred_at",
    "confirm_tries",
    "next_confirm_at",
    "booked_at",
    "fee_minor",
    "resolved_at",
    "resolved_by",
]
"""What changes after creation: saved together, under the row's lock."""


def reference_key(text: str) -> str:
    """Return a reference as it is compared: people type codes with blanks and dashes, and in small letters."""
    return NO_LETTER_OR_DIGIT.sub("", text.upper())[:REFERENCE_LENGTH]


class InboundReceiptQuerySet(LockingQuerySet):
    def of_branches(self, branch_ids: set[UUID] | None) -> Self:
        """Limit to these branches; None means every branch."""
        return self if branch_ids is None else self.filter(branch_id__in=branch_ids)

    def of_applications(self, application_ids: set[UUID] | None) -> Self:
        """Limit to these applications; None means every application."""
        return self if application_ids is None else self.filter(application_id__in=application_ids)

    def to_confirm(self, *, since: datetime) -> Self:
        """Money that the provider is to be asked about."""
        return self.filter(status=InboundStatus.UNCONFIRMED, next_confirm_at__lte=since)

    def held(self) -> Self:
        """Money that was put aside: booked to suspense, or to be confirmed first."""
        return self.filter(Q(booked_at__isnull=False) | Q(status=InboundStatus.UNCONFIRMED))

    def known(self) -> Self:
        """Money in suspense that nobody has decided about, and what a lost dispute took from there."""
        return self.filter(status__in=[*WAITING_STATES, InboundStatus.TAKEN_BACK])

    def waiting(self) -> Self:
        """Money in suspense that nobody has decided about."""
        return self.filter(status__in=WAITING_STATES)

    def said_to_be_of(self, attempt: PaymentAttempt) -> Self:
        """
        Money left to look at that its payer, a report or a person says is of an attempt, without what the provider has denied.
        """
        code = attempt.intent.code
        said = Q(reference_key__in=[attempt.code, code]) | Q(reason__contains=CLAIMED % code)
        receipts = [receipt for receipt in (attempt.unexplained_receipt, attempt.claimed_receipt) if receipt]
        left = self.filter(said | Q(receipt__in=receipts), provider=attempt.provider, status__in=LEFT_STATES)
        denied = Q(status=InboundStatus.UNCONFIRMED, reason__startswith=DENIED.partition("%")[0])
        return left.exclude(denied).order_by("id")


class InboundReceipt(UuidModel, StatefulModel):
    """
    Money that arrived, one row per provider and receipt number; ``sources`` says who told of it.

    The branch is that of the account; the application is the portal's until a payment is found,
    or seems to be paid a second time. ``reference`` and
    ``payer`` are texts as they came: what was typed, and a number in clear, masked or hashed. ``booked_at`` is set
    where the money was booked to suspense under this row, with ``fee_minor`` by the account's tariff; otherwise the
    attempt books it. ``intent`` is the payment that it pays, or seems to pay a second time, ``reason`` why it waits and
    ``owner`` who looks after it; ``taken_by`` is the lost dispute that took it from suspense, one row each. What must be confirmed before it is believed has a ``callback_token``, by which the
    provider's answer finds it, and ``next_confirm_at`` while it is to be asked about again. A trigger in the database keeps what arrived as it arrived.
    """

    provider_account = models.ForeignKey(
        "integrations.ProviderAccount", on_delete=models.PROTECT, related_name="+"
    )
    branch = models.ForeignKey("access.Branch", on_delete=models.PROTECT, related_name="+")
    application = models.ForeignKey("access.Application", on_delete=models.PROTECT, related_name="+")
    provider = models.CharField(max_length=20)
    status = FSMField(
        max_length=24,
        choices=[(state.value, state.value) for state in InboundStatus],
        default=InboundStatus.SUSPENSE.value,
        protected=True,
    )
    receipt = models.CharField(max_length=RECEIPT_LENGTH)
    amount_minor = MinorField()
    currency = CurrencyField()
    fee_minor = MinorField(null=True)
    reference = models.CharField(max_length=REFERENCE_LENGTH, blank=True)
    reference_key = models.CharField(max_length=REFERENCE_LENGTH, blank=True)
    payer = models.CharField(max_length=PAYER_LENGTH, blank=True)
    payer_name = models.CharField(max_length=NAME_LENGTH, blank=True)
    kind = models.CharField(max_length=60, blank=True)
    sources = ArrayField(models.CharField(max_length=16))
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)
    attempt = models.ForeignKey(
        "payments.PaymentAttempt", null=True, on_delete=models.PROTECT, related_name="+"
    )
    intent = models.ForeignKey(
        "payments.PaymentIntent", null=True, on_delete=models.PROTECT, related_name="+"
    )
    taken_by = models.OneToOneField("payments.Dispute", null=True, on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey("access.Membership", null=True, on_delete=models.PROTECT, related_name="+")
    occurred_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    callback_token = models.CharField(max_length=32, unique=True, null=True)
    confirm_tries = models.PositiveSmallIntegerField(default=0)
    next_confirm_at = models.DateTimeField(null=True)
    booked_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(max_length=120, blank=True)

    objects = InboundReceiptQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("money in suspense")
        constraints = [
            models.UniqueConstraint(fields=["receipt", "provider"], name="inbound_receipt_once"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="inbound_amount_positive"),
            models.CheckConstraint(condition=Q(sources__len__gt=0), name="inbound_has_a_source"),
            models.CheckConstraint(
                condition=(
                    one_of("status", WAITING_STATES) & Q(attempt__isnull=True, booked_at__isnull=False)
                )
                | (one_of("status", PAYING_STATES) & Q(attempt__isnull=False, intent__isnull=False))
                | Q(status=InboundStatus.RETRACTED.value, attempt__isnull=False, booked_at__isnull=False)
                | Q(status=InboundStatus.TAKEN_BACK.value, attempt__isnull=True, booked_at__isnull=False)
                | Q(
                    status=InboundStatus.UNCONFIRMED.value,
                    attempt__isnull=True,
                    booked_at__isnull=True,
                    callback_token__isnull=False,
                ),
                name="inbound_waits_or_is_of_an_attempt",
            ),
            models.CheckConstraint(
                condition=Q(status=InboundStatus.TAKEN_BACK.value, taken_by__isnull=False)
                | (~Q(status=InboundStatus.TAKEN_BACK.value) & Q(taken_by__isnull=True)),
                name="inbound_taken_by_its_dispute",
            ),
            models.CheckConstraint(
                condition=Q(booked_at__isnull=True, fee_minor__isnull=True)
                | Q(booked_at__isnull=False, fee_minor__gte=0, fee_minor__lte=F("amount_minor")),
                name="inbound_fee_with_its_booking",
            ),
        ]
        indexes = [
            models.Index(fields=["branch", "-id"], name="inbound_by_branch"),
            models.Index(
                fields=["status", "-id"], condition=one_of("status", LEFT_STATES), name="inbound_waiting"
            ),
            models.Index(fields=["-id"], condition=Q(booked_at__isnull=False), name="inbound_held"),
            models.Index(
                fields=["reference_key", "received_at"],
                condition=~Q(reference_key=""),
                name="inbound_by_reference",
            ),
            models.Index(
                fields=["next_confirm_at"],
                condition=Q(next_confirm_at__isnull=False),
                name="inbound_confirm_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.receipt} ({self.money})"

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def fee(self) -> Money:
        """The provider's fee by the tariff of its account; only where the money is booked under this row."""
        if self.fee_minor is None:
            raise ValueError(f"receipt {self.receipt} is not booked under this row")
        return Money(self.fee_minor, self.currency)

    @property
    def is_waiting(self) -> bool:
        return self.status in WAITING_STATES

    @property
    def is_unconfirmed(self) -> bool:
        return self.status == InboundStatus.UNCONFIRMED

    def save_progress(self) -> None:
        self.save(update_fields=PROGRESS_FIELDS)

    def hear(self, notice: InboundReport, *, source: InboundSource, occurred_at: datetime | None) -> bool:
        """Note who tells of this money now, and what nobody had told before; say whether anything is new."""
        before = self._told()
        if source.value not in self.sources:
            self.sources = [*self.sources, source.value]
        if not self.reference_key:
            self.reference, self.reference_key = notice.reference, reference_key(notice.reference)
        self.payer = self.payer or notice.payer
        self.payer_name = self.payer_name or notice.payer_name
        self.kind = self.kind or notice.kind
        self.occurred_at = self.occurred_at or occurred_at
        return self._told() != before

    def claim(self, *, code: str) -> None:
        """Note once that a payer says which payment his money is of; it proves nothing."""
        said = CLAIMED % code
        if said not in self.reason:
            self.reason = f"{self.reason} {said}".strip()[:REASON_LENGTH]

    def is_claimed_for(self, code: str) -> bool:
        return CLAIMED % code in self.reason

    def _told(self) -> tuple[object, ...]:
        return (self.sources, self.reference, self.payer, self.payer_name, self.kind, self.occurred_at)

    @transition(status, source=InboundStatus.SUSPENSE, target=InboundStatus.UNCONFIRMED)
    def await_confirmation(self, *, token: str, reason: str, at: datetime) -> None:
        """Believe nothing of it before the provider has confirmed it."""
        self.callback_token = token
        self.reason = reason[:REASON_LENGTH]
        self.next_confirm_at = at

    @transition(
        status,
        source=[InboundStatus.SUSPENSE, InboundStatus.UNCONFIRMED],
        target=RETURN_VALUE(InboundStatus.SUSPENSE, InboundStatus.DUPLICATE_SUSPECTED),
    )
    def hold(
        self,
        *,
        reason: str,
        fee: Money,
        owner_id: UUID | None,
        doubled: PaymentIntent | None,
        is_duplicate: bool,
        at: datetime,
    ) -> InboundStatus:
        """Put the money aside for a person; ``doubled`` is the payment that it seems to pay a second time."""
        self.next_confirm_at = None
        self.reason = reason[:REASON_LENGTH]
        self.fee_minor = fee.minor
        self.owner_id = owner_id
        self.intent = doubled
        self.booked_at = at
        return InboundStatus.DUPLICATE_SUSPECTED if is_duplicate else InboundStatus.SUSPENSE

    @transition(status, source=[*WAITING_STATES, InboundStatus.UNCONFIRMED], target=InboundStatus.MATCHED)
    def match(self, *, attempt: PaymentAttempt, at: datetime) -> None:
        """The money is of this attempt."""
        self.next_confirm_at = None
        self._belong(attempt)
        self.resolved_at = at

    def stand_for(self, attempt: PaymentAttempt) -> None:
        """Be of another attempt, of the same sum, than it was taken for; the receipt of neither had been told."""
        self._belong(attempt)

    @transition(status, source=WAITING_STATES, target=InboundStatus.ASSIGNED)
    def assign(self, *, attempt: PaymentAttempt, by: str, at: datetime) -> None:
        """A person says that the money is of this payment."""
        self._belong(attempt)
        self.resolved_at = at
        self.resolved_by = by

    @transition(status, source=WAITING_STATES, target=InboundStatus.GIVING_BACK)
    def give_back(self, *, attempt: PaymentAttempt, by: str, at: datetime) -> None:
        """A person says that the money goes back; ``attempt`` is what carries it there."""
        self._belong(attempt)
        self.resolved_at = at
        self.resolved_by = by

    @transition(status, source=InboundStatus.GIVING_BACK, target=InboundStatus.SUSPENSE)
    def come_back(self, *, reason: str) -> None:
        """The money could not be given back: a person decides about it anew."""
        self.reason = reason[:REASON_LENGTH]
        self.attempt = self.intent = None
        self.resolved_at = None
        self.resolved_by = ""

    @transition(
        status,
        source=[
            InboundStatus.UNCONFIRMED,
            InboundStatus.SUSPENSE,
            InboundStatus.MATCHED,
            InboundStatus.ASSIGNED,
            InboundStatus.GIVING_BACK,
            InboundStatus.RETRACTED,
        ],
        target=InboundStatus.SUSPENSE,
    )
    def take_from(self, attempt: PaymentAttempt, *, reason: str, owner_id: UUID | None, at: datetime) -> None:
        """The payment that the money came for does not have it: it waits, with the fee that was booked with it."""
        if self.booked_at is None and attempt.fee is not None:
            self.booked_at = at
            self.fee_minor = attempt.fee.minor
        self.next_confirm_at = None
        self.reason = reason[:REASON_LENGTH]
        self.owner_id = self.owner_id or owner_id
        self.intent = attempt.intent
        self.application_id = attempt.application_id
        self.attempt = None
        self.resolved_at = None
        self.resolved_by = ""

    @transition(status, source=WAITING_STATES, target=InboundStatus.RETRACTED)
    def retract(self, *, attempt: PaymentAttempt, at: datetime) -> None:
        """The money had been booked by this attempt before its receipt was known: only that booking stays."""
        self._belong(attempt)
        self.resolved_at = at

    @transition(status, source=WAITING_STATES, target=InboundStatus.TAKEN_BACK)
    def take_back(self, *, dispute: Dispute, at: datetime) -> None:
        """A dispute that was lost took it: it is owed to nobody any more."""
        self.taken_by = dispute
        self.reason = f"{TAKEN % dispute.ticket} {self.reason}".strip()[:REASON_LENGTH]
        self.resolved_at = at

    @transition(status, source=InboundStatus.TAKEN_BACK, target=InboundStatus.SUSPENSE)
    def wait_again(self, *, reason: str) -> None:
        """It is not lost by that dispute any more: a person decides about it."""
        self.taken_by = None
        self.reason = reason[:REASON_LENGTH]
        self.resolved_at = None

    def _belong(self, attempt: PaymentAttempt) -> None:
        self.attempt = attempt
        self.intent = attempt.intent
        self.application_id = attempt.application_id
