"""The refund: one collection that goes back to its payer, and what the provider reported of it."""

from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition

from apps.integrations.ports import RefundReport
from apps.kit.judged import JUDGED_FIELDS, Judged
from apps.kit.models import CurrencyField, MinorField, StatefulModel, UuidModel
from apps.kit.money import Money
from apps.kit.polled import PolledQuerySet
from apps.payments.contracts import RefundStatus
from apps.payments.contracts.verdicts import RefundVerdict

CODE_LENGTH = 60
MESSAGE_LENGTH = 300
TICKET_LENGTH = 120
REASON_LENGTH = 200
SENT_STATES = ["SENDING", "PENDING", "UNKNOWN"]
LIVE_STATES = ["AWAITING_APPROVAL", "REQUESTED", *SENT_STATES]


PROGRESS_FIELDS = [
    "status",
    "ticket",
    "provider_receipt",
    "charge_minor",
    "failure_code",
    "failure_message",
    "provider_code",
    "claimed_receipt",
    "approval_id",
    "tries",
    "next_request_at",
    "sent_at",
    "initiated_at",
    "asked_at",
    "next_query_at",
    "query_started_at",
    "repeated_at",
    "unknown_at",
    "closed_at",
    "occurred_at",
    "refunded_at",
    "came_back_at",
    "settled_minor",
    "verdict",
    "verdict_receipt",
    *JUDGED_FIELDS,
]
"""What changes after creation: saved together, under the row's lock."""


class RefundQuerySet(PolledQuerySet):
    def of_branches(self, branch_ids: set[UUID] | None) -> Self:
        """Limit to these branches; None means every branch."""
        return self if branch_ids is None else self.filter(branch_id__in=branch_ids)

    def of_applications(self, application_ids: set[UUID] | None) -> Self:
        """Limit to these applications; None means every application."""
        return self if application_ids is None else self.filter(application_id__in=application_ids)

    def live(self) -> Self:
        return self.filter(status__in=LIVE_STATES)

    def waiting_to_be_sent(self, *, since: datetime) -> Self:
        """Refunds whose sending was due at ``since`` or before and has not begun."""
        return self.filter(status=RefundStatus.REQUESTED, next_request_at__lte=since)

    def stuck_in_sending(self, *, since: datetime) -> Self:
        """Refunds whose worker never said how the sending went."""
        return self.filter(status=RefundStatus.SENDING, ticket="", sent_at__lte=since)


class Refund(Judged, UuidModel, StatefulModel):
    """
    One request to give a collection back, whole or a part of it. Its row and token are committed before the request leaves.

    ``number`` counts the refunds of an attempt from 1: with the attempt's code it is how a provider knows a repeated request.
    ``payment_receipt`` names the collection at the provider, ``provider_receipt`` the refund itself (empty until
    told), ``callback_token`` is how the provider's answer finds us. ``tries`` counts the sendings: more than one only
    where those before never left; ``asked_at`` is when a person last asked to have the provider asked, ``repeated_at`` when the request
    was first sent again under its number. ``next_request_at`` is set exactly while the sending is due and has not begun. A
    refund is live until it has ended; one that is UNKNOWN is sent again only where the provider knows it by its number.
    FAILED is left only by money that went back after all, SUCCEEDED only by money that did not arrive and is with us again
    (``came_back_at``), and that and CANCELLED never; a trigger in the database says the same. ``settled_minor`` is what left our
    balance, where the provider had converted the payment, in the currency that it had settled in. ``nonce`` is of the asking: one
    that is sent twice makes one refund. ``verdict`` is what ``verdict_by`` says of an UNKNOWN one, and why; it waits for its approval until
    ``judged_at``, when it ended the refund.
    """

    intent = models.ForeignKey("payments.PaymentIntent", on_delete=models.PROTECT, related_name="refunds")
    attempt = models.ForeignKey("payments.PaymentAttempt", on_delete=models.PROTECT, related_name="refunds")
    branch = models.ForeignKey("access.Branch", on_delete=models.PROTECT, related_name="+")
    application = models.ForeignKey("access.Application", on_delete=models.PROTECT, related_name="+")
    provider = models.CharField(max_length=20)
    provider_account = models.ForeignKey(
        "integrations.ProviderAccount", on_delete=models.PROTECT, related_name="+"
    )
    status = FSMField(
        max_length=24,
        choices=[(state.value, state.value) for state in RefundStatus],
        default=RefundStatus.REQUESTED.value,
        protected=True,
    )
    number = models.PositiveSmallIntegerField(default=1)
    amount_minor = MinorField()
    currency = CurrencyField()
    reason = models.CharField(max_length=REASON_LENGTH)
    payment_receipt = models.CharField(max_length=40)
    callback_token = models.CharField(max_length=32, unique=True)
    approval_id = models.UUIDField(null=True)
    ticket = models.CharField(max_length=TICKET_LENGTH, blank=True)
    provider_receipt = models.CharField(max_length=40, blank=True)
    charge_minor = MinorField(null=True)
    failure_code = models.CharField(max_length=CODE_LENGTH, blank=True)
    failure_message = models.CharField(max_length=MESSAGE_LENGTH, blank=True)
    provider_code = models.CharField(max_length=CODE_LENGTH, blank=True)
    claimed_receipt = models.CharField(max_length=40, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField()
    next_request_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    initiated_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)
    next_query_at = models.DateTimeField(null=True)
    query_started_at = models.DateTimeField(null=True)
    repeated_at = models.DateTimeField(null=True)
    unknown_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    occurred_at = models.DateTimeField(null=True)
    refunded_at = models.DateTimeField(null=True)
    came_back_at = models.DateTimeField(null=True)
    settled_minor = MinorField(null=True)
    nonce = models.UUIDField(null=True)
    verdict = models.CharField(
        max_length=16, choices=[(one.value, one.value) for one in RefundVerdict], blank=True
    )
    verdict_receipt = models.CharField(max_length=40, blank=True)

    objects = RefundQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider_account", "ticket"], condition=~Q(ticket=""), name="refund_ticket_once"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_amount_positive"),
            models.CheckConstraint(
                condition=Q(charge_minor__isnull=True) | Q(charge_minor__gt=0), name="refund_charge_positive"
            ),
            models.CheckConstraint(
                condition=Q(
                    status=RefundStatus.SUCCEEDED.value, refunded_at__isnull=False, came_back_at__isnull=True
                )
                | Q(status=RefundStatus.FAILED.value, refunded_at__isnull=False, came_back_at__isnull=False)
                | (
                    ~Q(status=RefundStatus.SUCCEEDED.value)
                    & Q(refunded_at__isnull=True, came_back_at__isnull=True)
                ),
                name="refund_refunded_states",
            ),
            models.CheckConstraint(
                condition=Q(status=RefundStatus.REQUESTED.value, next_request_at__isnull=False)
                | (~Q(status=RefundStatus.REQUESTED.value) & Q(next_request_at__isnull=True)),
                name="refund_request_due_while_requested",
            ),
            models.CheckConstraint(
                condition=Q(
                    verdict="",
                    verdict_receipt="",
                    verdict_reason="",
                    verdict_by="",
                    verdict_approval_id__isnull=True,
                    judged_at__isnull=True,
                )
                | (
                    (
                        (Q(verdict=RefundVerdict.GIVEN_BACK.value) & ~Q(verdict_receipt=""))
                        | Q(verdict=RefundVerdict.NOT_GIVEN_BACK.value, verdict_receipt="")
                    )
                    & ~Q(verdict_reason="")
                    & ~Q(verdict_by="")
                    & Q(verdict_approval_id__isnull=False, unknown_at__isnull=False)
                ),
                name="refund_verdict_whole",
            ),
            models.UniqueConstraint(fields=["attempt", "number"], name="refund_number_once"),
            models.UniqueConstraint(fields=["attempt", "nonce"], name="refund_nonce_once"),
            models.UniqueConstraint(
                fields=["provider", "provider_receipt"],
                condition=~Q(provider_receipt=""),
                name="refund_receipt_once",
            ),
        ]
        indexes = [
            models.Index(fields=["branch", "-id"], name="refund_by_branch"),
            models.Index(fields=["status", "-id"], name="refund_by_status"),
            models.Index(
                fields=["next_request_at"],
                condition=Q(next_request_at__isnull=False),
                name="refund_request_due",
            ),
            models.Index(
                fields=["next_query_at"], condition=Q(next_query_at__isnull=False), name="refund_query_due"
            ),
            models.Index(
                fields=["sent_at"], condition=Q(status=RefundStatus.SENDING.value), name="refund_sending"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.money} of {self.payment_receipt}"

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def charge(self) -> Money | None:
        """What the provider took for the refund, once it has told: in the currency that left our balance."""
        if self.charge_minor is None:
            return None
        return Money(self.charge_minor, self.attempt.settled_currency or self.currency)

    @property
    def settled(self) -> Money | None:
        """What left our balance, where the provider had converted the payment: in the currency that it had settled in."""
        if self.settled_minor is None:
            return None
        return Money(self.settled_minor, self.attempt.settled_currency)

    @property
    def is_live(self) -> bool:
        return self.status in LIVE_STATES

    @property
    def is_refunded(self) -> bool:
        return self.refunded_at is not None and self.came_back_at is None

    @property
    def is_verifiable(self) -> bool:
        """A person can help: nobody knows what became of it, or it is booked without its receipt."""
        return self.status == RefundStatus.UNKNOWN or (self.is_refunded and not self.provider_receipt)

    @property
    def can_be_asked_by_ticket(self) -> bool:
        return self.status == RefundStatus.UNKNOWN and bool(self.ticket)

    @property
    def may_have_been_made(self) -> bool:
        """An earlier sending of this refund may have been carried out although we were told otherwise or nothing."""
        return self.unknown_at is not None or self.tries > 1

    def save_progress(self) -> None:
        self.save(update_fields=PROGRESS_FIELDS)

    def say(self, verdict: RefundVerdict, *, receipt: str, reason: str, by: str) -> None:
        """Write down what a person says became of it; it ends nothing before others agree."""
        self.verdict = verdict.value
        self.verdict_receipt = receipt
        self.say_why(reason, by=by)

    def unsay(self) -> None:
        super().unsay()
        self.verdict = self.verdict_receipt = ""

    @transition(status, source=RefundStatus.REQUESTED, target=RefundStatus.AWAITING_APPROVAL)
    def await_approval(self, *, approval_id: UUID) -> None:
        self.approval_id = approval_id
        self.next_request_at = None

    @transition(status, source=RefundStatus.AWAITING_APPROVAL, target=RefundStatus.REQUESTED)
    def approve(self, *, at: datetime) -> None:
        self.next_request_at = at

    @transition(
        status,
        source=[RefundStatus.AWAITING_APPROVAL, RefundStatus.REQUESTED],
        target=RefundStatus.CANCELLED,
    )
    def cancel(self, *, code: str, message: str, at: datetime) -> None:
        """End a refund that was never sent, nor will be."""
        self.next_request_at = None
        self.failure_code = code[:CODE_LENGTH]
        self.failure_message = message[:MESSAGE_LENGTH]
        self.closed_at = at

    @transition(status, source=RefundStatus.REQUESTED, target=RefundStatus.SENDING)
    def begin(self, *, at: datetime) -> None:
        self.tries += 1
        self.sent_at = at
        self.next_request_at = None

    @transition(status, source=RefundStatus.SENDING, target=RefundStatus.REQUESTED)
    def put_off(self, *, at: datetime, after: timedelta, is_try: bool = True) -> None:
        """Wait for another try: this one never left, and where our own gate kept it back it was none."""
        self.next_request_at = at + after
        if not is_try:
            self.tries -= 1
            self.sent_at = self.sent_at if self.tries else None

    @transition(status, source=[RefundStatus.SENDING, RefundStatus.UNKNOWN], target=RefundStatus.PENDING)
    def accept(self, *, next_query_at: datetime | None) -> None:
        self.next_query_at = next_query_at

    @transition(status, source=[RefundStatus.SENDING, RefundStatus.PENDING], target=RefundStatus.UNKNOWN)
    def lose(self, *, at: datetime) -> None:
        """Nobody can say what became of the request; questions that are planned are still asked."""
        self.unknown_at = at

    @transition(status, source=[RefundStatus.REQUESTED, *SENT_STATES], target=RefundStatus.FAILED)
    def fail(self, *, code: str, message: str, provider_code: str, at: datetime) -> None:
        """The money does not go back: the provider will not, or must not be told to any more."""
        self.failure_code = code[:CODE_LENGTH]
        self.failure_message = message[:MESSAGE_LENGTH]
        self.provider_code = provider_code[:CODE_LENGTH]
        self.next_request_at = None
        self.next_query_at = None
        self.closed_at = at

    @transition(
        status,
        source=[RefundStatus.REQUESTED, *SENT_STATES, RefundStatus.FAILED],
        target=RefundStatus.SUCCEEDED,
    )
    def succeed(self, *, report: RefundReport, at: datetime) -> None:
        """Take in that the money went back, whatever had been said before."""
        self.provider_receipt = report.receipt
        self.provider_code = report.provider_code[:CODE_LENGTH]
        self.occurred_at = report.occurred_at
        self.next_request_at = None
        self.next_query_at = None
        self.refunded_at = at

    @transition(status, source=RefundStatus.SUCCEEDED, target=RefundStatus.FAILED)
    def come_back(self, *, report: RefundReport, at: datetime) -> None:
        """Take in that the money did not arrive after all, and is with us again."""
        self.failure_code = report.reason_code[:CODE_LENGTH]
        self.failure_message = report.message[:MESSAGE_LENGTH]
        self.provider_code = report.provider_code[:CODE_LENGTH]
        self.next_query_at = None
        self.came_back_at = at
