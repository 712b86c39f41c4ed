"""The payment attempt: one request to one provider account, and what the provider reported of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import RETURN_VALUE, FSMField, transition

from apps.integrations.ports import HELD_BACK, CollectionReport, NextAction, Ticket
from apps.kit.compiled import Saved
from apps.kit.judged import JUDGED_FIELDS, Judged
from apps.kit.models import CurrencyField, MinorField, StatefulModel, UuidModel, one_of
from apps.kit.money import Money
from apps.kit.polled import PolledQuerySet
from apps.payments.contracts import AttemptStatus
from apps.payments.models.authorization import AUTHORIZATION_FIELDS, Authorization
from apps.payments.models.conversion import CONVERSION_FIELDS, Conversion
from apps.payments.models.intent import EMAIL_LENGTH
from apps.payments.models.judged import VERDICT_WHOLE
from apps.payments.models.refundable import REFUNDABLE_FIELDS, Refundable

CODE_LENGTH, MESSAGE_LENGTH, TICKET_LENGTH = 60, 300, 120
NOT_SENT = "not_sent"
MISCONFIGURED = ["configuration", "invalid_credentials"]
"""The reasons of failures that are the account's: it is not set up right."""
LIVE_STATES = ["SENDING", "PENDING", "ACTION_REQUIRED", "AUTHORIZED", "UNKNOWN"]
OPEN_STATES = ["SENDING", "PENDING", "ACTION_REQUIRED", "UNKNOWN"]
BOOKED_STATES = ["SUCCEEDED", "MISMATCH"]
CLOSED_STATES = ["FAILED", "CANCELLED", "EXPIRED"]

PROGRESS_FIELDS = [
    "status",
    "ticket",
    "next_action",
    "next_action_message",
    "next_action_url",
    "provider_receipt",
    "received_minor",
    "received_currency",
    "is_amount_reported",
    "is_in_suspense",
    "failure_code",
    "failure_message",
    "provider_code",
    "claimed_receipt",
    "unexplained_receipt",
    "unnamed_at",
    "initiated_at",
    "asked_at",
    "next_query_at",
    "query_started_at",
    "repeated_at",
    "unknown_at",
    "refund_due_at",
    "surrendered_at",
    "late_refund_tries",
    "late_refund_refusal",
    "closed_at",
    "occurred_at",
    "booked_at",
    *AUTHORIZATION_FIELDS,
    *CONVERSION_FIELDS,
    *REFUNDABLE_FIELDS,
    *JUDGED_FIELDS,
]
"""What changes after creation: saved together, under the row's lock."""
PROGRESS: Saved["PaymentAttempt"] = Saved(*PROGRESS_FIELDS)


class PaymentAttemptQuerySet(PolledQuerySet):
    def live(self) -> Self:
        return self.filter(status__in=LIVE_STATES)

    def sent(self) -> Self:
        """Attempts that count: all but those that our own gate kept back."""
        return self.exclude(failure_code=HELD_BACK)

    def misconfigured(self, account_ids: Iterable[UUID], *, since: datetime) -> Self:
        """Attempts of these accounts that failed since because the account is not set up right."""
        failed = self.filter(provider_account_id__in=list(account_ids), created_at__gt=since)
        return failed.filter(one_of("failure_code", MISCONFIGURED))

    def to_give_back(self, *, since: datetime) -> Self:
        """Late money that goes back by itself, once its receipt is known."""
        known = self.filter(refund_due_at__lte=since, is_amount_reported=True)
        return known.exclude(provider_receipt="")

    def paying(self) -> Self:
        """Attempts whose money pays their intent, in the order in which it was booked."""
        booked = self.filter(booked_at__isnull=False, surrendered_at=None, is_in_suspense=False)
        return booked.order_by("booked_at", "number")

    def in_suspense(self) -> Self:
        """Attempts whose money waits in suspense: not all of it has gone back, and no lost dispute took it."""
        held = self.filter(is_in_suspense=True, received_minor__gt=F("refunded_minor"))
        return held.exclude(disputes__covered_minor__gt=0)

    def bearing(self, receipt: str, *, provider: str) -> Self:
        """The attempt that has the money of a receipt."""
        return self.filter(provider=provider, provider_receipt=receipt, surrendered_at=None)

    def with_order(self, *, since: datetime) -> Self:
        """Attempts of which the provider is to be told to take or to let go the money."""
        return self.filter(order_due_at__lte=since)

    def stuck_in_sending(self, *, since: datetime) -> Self:
        """Attempts whose worker never said how the sending went."""
        return self.filter(status=AttemptStatus.SENDING, ticket="", created_at__lte=since)


class PaymentAttempt(Authorization, Conversion, Refundable, Judged, UuidModel, StatefulModel):
    """
    One request to a provider. Its row, token and code are committed before the request leaves.

    ``code`` is what the payer sees, ``callback_token`` is how the provider's answer finds us, ``ticket`` is the provider's handle
    (empty until told). Money is booked once: ``booked_at`` is set exactly in SUCCEEDED and MISMATCH. ``is_amount_reported`` is
    false while the sum is taken from the intent, for the provider confirmed the payment without telling it.
    ``unexplained_receipt`` names money that came a second time and was not booked; ``unnamed_at``
    is when the provider confirmed it although several receipts that may be its own wait, or one was given elsewhere: it is
    booked under none yet.
    ``pay_page`` is where a page of the provider's sends the payer back. ``query_started_at`` is set while a job for the query that
    is due has been started and has not taken it, ``asked_at`` when a person last asked to have the provider asked, ``repeated_at``
    when the request was first sent again under its code: from then on the first sending alone says nothing of it.
    ``surrendered_at`` is when a person took its money from it, which waits under its receipt as money that nothing explains.
    ``is_in_suspense``: the money waits for a person in the suspense account; ``refund_due_at``: it is to go back by
    itself, ``late_refund_refusal`` why that was refused the last of ``late_refund_tries`` times. Of the money received,
    ``refunded_minor`` went back, ``refund_pending_minor`` is on its way and ``disputed_minor`` disputed; never more than came.
    """

    intent = models.ForeignKey("payments.PaymentIntent", on_delete=models.PROTECT, related_name="attempts")
    branch = models.ForeignKey("access.Branch", on_delete=models.PROTECT, related_name="+")
    application = models.ForeignKey("access.Application", on_delete=models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField()
    provider = models.CharField(max_length=20)
    provider_account = models.ForeignKey(
        "integrations.ProviderAccount", on_delete=models.PROTECT, related_name="+"
    )
    status = FSMField(
        max_length=24,
        choices=[(state.value, state.value) for state in AttemptStatus],
        default=AttemptStatus.SENDING.value,
        protected=True,
    )
    amount_minor = MinorField()
    currency = CurrencyField()
    phone = models.CharField(max_length=16, blank=True)
    email = models.EmailField(max_length=EMAIL_LENGTH, blank=True)
    pay_page = models.ForeignKey("payments.PayPage", null=True, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=10, unique=True)
    callback_token = models.CharField(max_length=32, unique=True)
    ticket = models.CharField(max_length=TICKET_LENGTH, blank=True)
    next_action = models.CharField(max_length=20, blank=True)
    next_action_message = models.CharField(max_length=300, blank=True)
    next_action_url = models.CharField(max_length=2000, blank=True)
    provider_receipt = models.CharField(max_length=40, blank=True)
    received_minor = MinorField(null=True)
    received_currency = CurrencyField(blank=True)
    is_amount_reported = models.BooleanField(default=False)
    is_in_suspense = models.BooleanField(default=False)
    failure_code = models.CharField(max_length=CODE_LENGTH, blank=True)
    failure_message = models.CharField(max_length=MESSAGE_LENGTH, blank=True)
    provider_code = models.CharField(max_length=CODE_LENGTH, blank=True)
    claimed_receipt = models.CharField(max_length=40, blank=True)
    unexplained_receipt = models.CharField(max_length=40, blank=True)
    unnamed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    initiated_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)
    next_query_at = models.DateTimeField(null=True)
    query_started_at = models.DateTimeField(null=True)
    repeated_at = models.DateTimeField(null=True)
    unknown_at = models.DateTimeField(null=True)
    refund_due_at = models.DateTimeField(null=True)
    surrendered_at = models.DateTimeField(null=True)
    late_refund_tries = models.PositiveSmallIntegerField(default=0)
    late_refund_refusal = models.CharField(max_length=MESSAGE_LENGTH, blank=True)
    closed_at = models.DateTimeField(null=True)
    occurred_at = models.DateTimeField(null=True)
    booked_at = models.DateTimeField(null=True)

    objects = PaymentAttemptQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("money of payments in suspense")
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="attempt_amount_positive"),
            models.CheckConstraint(
                condition=Q(
                    status__in=BOOKED_STATES,
                    booked_at__isnull=False,
                    received_minor__gt=0,
                    fee_minor__gte=0,
                )
                | (
                    ~Q(status__in=BOOKED_STATES)
                    & Q(booked_at__isnull=True, received_minor__isnull=True, fee_minor__isnull=True)
                ),
                name="attempt_booked_states",
            ),
            models.CheckConstraint(
                condition=Q(settled_minor__isnull=True, settled_currency="")
                | Q(settled_minor__gt=0)
                & ~Q(settled_currency="")
                & ~Q(settled_currency=F("received_currency")),
                name="attempt_settled_whole",
            ),
            models.CheckConstraint(
                condition=Q(capture_minor__isnull=True)
                | Q(capture_minor__gt=0, capture_minor__lte=F("held_minor")),
                name="attempt_capture_within_held",
            ),
            models.CheckConstraint(
                condition=Q(refunded_minor=0, refund_pending_minor=0, disputed_minor=0)
                | Q(
                    refunded_minor__gte=0,
                    refund_pending_minor__gte=0,
                    disputed_minor__gte=0,
                    received_minor__gte=F("refunded_minor") + F("refund_pending_minor") + F("disputed_minor"),
                ),
                name="attempt_refunds_within_received",
            ),
            models.UniqueConstraint(fields=["intent", "number"], name="attempt_number_once"),
            models.UniqueConstraint(
                fields=["intent"], condition=Q(status__in=LIVE_STATES), name="attempt_one_live_per_intent"
            ),
            models.UniqueConstraint(
                fields=["provider_account", "ticket"], condition=~Q(ticket=""), name="attempt_ticket_once"
            ),
            models.UniqueConstraint(
                fields=["provider", "provider_receipt"],
                condition=~Q(provider_receipt="") & Q(surrendered_at__isnull=True),
                name="attempt_receipt_once",
            ),
            models.CheckConstraint(
                condition=Q(surrendered_at__isnull=True)
                | Q(
                    ~Q(provider_receipt=""),
                    booked_at__isnull=False,
                    is_in_suspense=False,
                    refunded_minor=0,
                    refund_pending_minor=0,
                ),
                name="attempt_surrendered_whole",
            ),
            VERDICT_WHOLE,
        ]
        indexes = [
            models.Index(
                fields=["provider_receipt"], condition=~Q(provider_receipt=""), name="attempt_by_receipt"
            ),
            models.Index(
                fields=["next_query_at"],
                condition=Q(next_query_at__isnull=False),
                name="attempt_query_due",
            ),
            models.Index(
                fields=["refund_due_at"],
                condition=Q(refund_due_at__isnull=False),
                name="attempt_refund_due",
            ),
            models.Index(
                fields=["created_at"],
                condition=Q(status=AttemptStatus.SENDING.value),
                name="attempt_sending",
            ),
            models.Index(
                fields=["provider_account", "created_at"],
                condition=one_of("failure_code", MISCONFIGURED),
                name="attempt_misconfigured",
            ),
            models.Index(
                fields=["order_due_at"], condition=Q(order_due_at__isnull=False), name="attempt_order_due"
            ),
            models.Index(fields=["-id"], condition=Q(is_in_suspense=True), name="attempt_in_suspense"),
            models.Index(fields=["-id"], condition=~Q(unexplained_receipt=""), name="attempt_unexplained"),
        ]

    def __str__(self) -> str:
        return f"{self.code} ({self.money})"

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def received(self) -> Money | None:
        """The sum that arrived, before the provider's fee."""
        return None if self.received_minor is None else Money(self.received_minor, self.received_currency)

    @property
    def applied(self) -> Money:
        """What was credited to its payment once it paid: the sum that was to arrive, or the other one that a person accepted."""
        other = self.received if self.status == AttemptStatus.MISMATCH else None
        return other or self.expected

    @property
    def page(self) -> str:
        """The address of the provider's page on which the payer pays; empty until it is known, and where there is none."""
        return self.next_action_url if self.status == AttemptStatus.ACTION_REQUIRED else ""

    @property
    def is_live(self) -> bool:
        return self.status in LIVE_STATES

    @property
    def is_booked(self) -> bool:
        return self.booked_at is not None

    def save_progress(self) -> None:
        PROGRESS.save(self)

    @transition(
        status,
        source=[AttemptStatus.SENDING, AttemptStatus.UNKNOWN],
        target=RETURN_VALUE(AttemptStatus.PENDING, AttemptStatus.ACTION_REQUIRED),
    )
    def accept(self, *, ticket: Ticket, next_query_at: datetime) -> AttemptStatus:
        self.next_query_at = next_query_at
        if ticket.next_action is None:
            return AttemptStatus.PENDING
        self._ask_payer(ticket.next_action)
        return AttemptStatus.ACTION_REQUIRED

    @transition(status, source=OPEN_STATES, target=AttemptStatus.ACTION_REQUIRED)
    def require_action(self, action: NextAction) -> None:
        """The provider says that the payer has something to do, other than it said before."""
        self._ask_payer(action)

    def _ask_payer(self, action: NextAction) -> None:
        self.next_action = action.kind.value
        self.next_action_message = action.message
        self.next_action_url = action.url

    @transition(status, source=OPEN_STATES, target=AttemptStatus.AUTHORIZED)
    def authorize(self, *, report: CollectionReport, at: datetime, next_query_at: datetime) -> None:
        """The payer has agreed, and the provider holds the sum back."""
        self.held_minor = (report.money or self.money).minor
        self.authorized_at = at
        self.next_query_at = next_query_at
        self.take_details(report)

    @transition(
        status,
        source=[AttemptStatus.SENDING, AttemptStatus.PENDING, AttemptStatus.ACTION_REQUIRED],
        target=AttemptStatus.UNKNOWN,
    )
    def lose(self, *, at: datetime) -> None:
        """Nobody can say what became of the request."""
        self.unknown_at = at
        self.next_query_at = None

    @transition(status, source=LIVE_STATES, target=AttemptStatus.FAILED)
    def fail(self, *, code: str, message: str, provider_code: str, at: datetime) -> None:
        self.failure_code = code[:CODE_LENGTH]
        self.failure_message = message[:MESSAGE_LENGTH]
        self.provider_code = provider_code[:CODE_LENGTH]
        self.next_query_at = None
        self.closed_at = at
        self.end_order()

    @transition(status, source=[*LIVE_STATES, *CLOSED_STATES], target=RETURN_VALUE(*BOOKED_STATES))
    def book(
        self, *, report: CollectionReport, fee: Money, is_put_aside: bool, at: datetime
    ) -> AttemptStatus:
        """
        Take in the money of a report; ``is_put_aside``: it does not pay the intent, whatever the sum. ``fee`` is what it
        costs by the account's tariff, where the report does not tell.
        """
        received = report.money or self.expected
        self.received_minor = received.minor
        self.received_currency = received.currency
        self.take_terms(report, tariff=fee)
        self.is_amount_reported = report.money is not None
        self.is_in_suspense = is_put_aside or received != self.expected
        self.provider_receipt = report.receipt
        self.occurred_at = report.occurred_at
        self.next_query_at = None
        self.booked_at = at
        self.end_order()
        return AttemptStatus.SUCCEEDED if received == self.expected else AttemptStatus.MISMATCH

    def correct(self, *, received: Money, fee: Money) -> None:
        """Put the reported sum in place of the one that was taken from the intent."""
        self.received_minor = received.minor
        self.fee_minor = fee.minor
        self.is_amount_reported = True

    def accept_money(self) -> None:
        """A person says that the money which waits in suspense pays the intent."""
        self.is_in_suspense = False
        self.refund_due_at = None

    def surrender(self, *, at: datetime) -> None:
        """A person takes the money that waits in suspense: it is of nothing any more."""
        self.is_in_suspense = False
        self.refund_due_at = None
        self.surrendered_at = at

    def carry(self, receipt: str) -> None:
        """The money that it let go, or that was taken from it, has gone back by its refund after all."""
        self.provider_receipt = receipt
        self.is_in_suspense = True
        self.surrendered_at = None
