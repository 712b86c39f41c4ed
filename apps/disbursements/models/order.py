"""What a provider is told to do with money, once: the same for a transfer and for what is taken back of one."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition

from apps.disbursements.contracts import TransferStatus
from apps.kit.models import CurrencyField, MinorField, StatefulModel, UuidModel
from apps.kit.money import Money
from apps.kit.polled import PolledQuerySet

CODE_LENGTH = 60
MESSAGE_LENGTH = 300
TICKET_LENGTH = 120
OPEN_STATES = [TransferStatus.SENDING.value, TransferStatus.UNKNOWN.value]
"""While the provider may have been told and has not said what became of it."""

PROGRESS_FIELDS = [
    "status",
    "ticket",
    "tries",
    "next_request_at",
    "sent_at",
    "repeated_at",
    "next_query_at",
    "query_started_at",
    "unknown_at",
    "succeeded_at",
    "closed_at",
    "failure_code",
    "failure_message",
    "provider_code",
]
"""What changes after creation: saved together, under the row's lock."""


class OrderQuerySet(PolledQuerySet):
    def waiting_to_be_sent(self, *, since: datetime) -> Self:
        """Orders whose sending was due at ``since`` or before and has not begun."""
        return self.filter(status=TransferStatus.REQUESTED.value, next_request_at__lte=since)

    def stuck_in_sending(self, *, since: datetime) -> Self:
        """Orders whose worker never said how the sending went."""
        return self.filter(status=TransferStatus.SENDING.value, sent_at__lte=since)


class Order(UuidModel, StatefulModel):
    """
    One movement of money that a provider is told to make, under a ``code`` of its own.

    The row is committed before anything is sent. ``tries`` counts the sendings: more than one only where those before never
    left; ``repeated_at`` is when it was first sent again under its code, of which nobody knew whether it had arrived.
    ``next_request_at`` is set exactly while the sending is due and has not begun. What is UNKNOWN is sent again only as long as
    the provider knows the code. SUCCEEDED, FAILED and CANCELLED are never left; a trigger in the database says the same.
    """

    status = FSMField(
        max_length=24,
        choices=[(state.value, state.value) for state in TransferStatus],
        default=TransferStatus.REQUESTED.value,
        protected=True,
    )
    code = models.CharField(max_length=10, unique=True)
    amount_minor = MinorField()
    currency = CurrencyField()
    ticket = models.CharField(max_length=TICKET_LENGTH, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField()
    next_request_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    repeated_at = models.DateTimeField(null=True)
    next_query_at = models.DateTimeField(null=True)
    query_started_at = models.DateTimeField(null=True)
    unknown_at = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    failure_code = models.CharField(max_length=CODE_LENGTH, blank=True)
    failure_message = models.CharField(max_length=MESSAGE_LENGTH, blank=True)
    provider_code = models.CharField(max_length=CODE_LENGTH, blank=True)
    nonce = models.UUIDField(null=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="%(class)s_amount_positive"),
            models.CheckConstraint(
                condition=Q(status=TransferStatus.SUCCEEDED.value, succeeded_at__isnull=False)
                | (~Q(status=TransferStatus.SUCCEEDED.value) & Q(succeeded_at__isnull=True)),
                name="%(class)s_succeeded_state",
            ),
            models.CheckConstraint(
                condition=Q(status=TransferStatus.REQUESTED.value, next_request_at__isnull=False)
                | (~Q(status=TransferStatus.REQUESTED.value) & Q(next_request_at__isnull=True)),
                name="%(class)s_due_while_requested",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_request_at"],
                condition=Q(next_request_at__isnull=False),
                name="%(class)s_request_due",
            ),
            models.Index(
                fields=["next_query_at"],
                condition=Q(next_query_at__isnull=False),
                name="%(class)s_query_due",
            ),
            models.Index(
                fields=["sent_at"],
                condition=Q(status=TransferStatus.SENDING.value),
                name="%(class)s_sending",
            ),
        ]

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATES

    def save_progress(self) -> None:
        self.save(update_fields=PROGRESS_FIELDS)

    @transition(status, source=TransferStatus.REQUESTED, target=TransferStatus.SENDING)
    def begin(self, *, at: datetime) -> None:
        self.tries += 1
        self.sent_at = at
        self.next_request_at = None

    @transition(status, source=TransferStatus.SENDING, target=TransferStatus.REQUESTED)
    def put_off(self, *, at: datetime, after: timedelta, is_try: bool = True) -> None:
        """Wait for another try: this one never left, and where our own gate kept it back it was none."""
        self.next_request_at = at + after
        if not is_try:
            self.tries -= 1
            self.sent_at = self.sent_at if self.tries else None

    @transition(status, source=TransferStatus.SENDING, target=TransferStatus.UNKNOWN)
    def lose(self, *, at: datetime, next_query_at: datetime | None) -> None:
        """Nobody can say what became of it."""
        self.unknown_at = at
        self.next_query_at = next_query_at

    @transition(status, source=OPEN_STATES, target=TransferStatus.SUCCEEDED)
    def succeed(self, *, ticket: str, at: datetime, next_query_at: datetime | None) -> None:
        """The provider has carried it out."""
        self.ticket = ticket
        self.succeeded_at = at
        self.next_query_at = next_query_at

    @transition(status, source=[TransferStatus.REQUESTED, *OPEN_STATES], target=TransferStatus.FAILED)
    def fail(self, *, code: str, message: str, provider_code: str, at: datetime) -> None:
        """The money does not move: the provider will not, or must not be told to any more."""
        self.failure_code, self.failure_message = code[:CODE_LENGTH], message[:MESSAGE_LENGTH]
        self.provider_code = provider_code[:CODE_LENGTH]
        self.next_request_at = self.next_query_at = None
        self.closed_at = at
