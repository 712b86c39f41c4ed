"""The payment intent: one sum that one payer is asked for, and the states that it passes through."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django_fsm import RETURN_VALUE, FSMField, transition

from apps.kit import phones
from apps.kit.compiled import Saved
from apps.kit.models import CurrencyField, LockingQuerySet, MinorField, StatefulModel, UuidModel, one_of
from apps.kit.money import Money
from apps.payments.contracts import METHODS, AttemptStatus, Choice, IntentStatus

if TYPE_CHECKING:
    from apps.payments.models.attempt import PaymentAttempt

CODE_LENGTH = 60
MESSAGE_LENGTH = 300
EMAIL_LENGTH = 200
METHOD_LENGTH = 20
UNCONFIRMED_STATES = ["REQUIRES_METHOD", "REQUIRES_CONFIRMATION"]
COLLECTING_STATES = ["PROCESSING", "ACTION_REQUIRED", "REQUIRES_CAPTURE", "UNKNOWN"]
UNPAID_STATES = ["FAILED", "CANCELLED", "EXPIRED"]
LIVE_STATES = [*UNCONFIRMED_STATES, *COLLECTING_STATES]
PAID_STATES = ["SUCCEEDED", "PARTIALLY_PAID", "IN_REVIEW"]
MONEY_STATES = ["SUCCEEDED", "PARTIALLY_PAID"]
"""The states of intents that some money has paid."""
ATTENTION_STATES = ["UNKNOWN", "IN_REVIEW"]

FOLLOWS = {
    AttemptStatus.PENDING: IntentStatus.PROCESSING,
    AttemptStatus.ACTION_REQUIRED: IntentStatus.ACTION_REQUIRED,
    AttemptStatus.AUTHORIZED: IntentStatus.REQUIRES_CAPTURE,
    AttemptStatus.UNKNOWN: IntentStatus.UNKNOWN,
}
"""The state of an intent while its live attempt is in the state on the left."""


PROGRESS_FIELDS = [
    "status",
    "method",
    "methods",
    "payer_phone",
    "payer_name",
    "payer_email",
    "saved_method",
    "current_attempt",
    "next_request_at",
    "is_following",
    "failure_code",
    "failure_message",
    "is_late",
    "paid_minor",
    "confirmed_at",
    "cancel_requested_at",
    "closed_at",
    "settled_at",
]
"""What changes after creation: saved together, under the row's lock."""
PROGRESS: Saved["PaymentIntent"] = Saved(*PROGRESS_FIELDS)


class PaymentIntentQuerySet(LockingQuerySet):
    def of_branches(self, branch_ids: set[UUID] | None) -> Self:
        """Limit to these branches; None means every branch."""
        return self if branch_ids is None else self.filter(branch_id__in=branch_ids)

    def of_applications(self, application_ids: set[UUID] | None) -> Self:
        """Limit to these applications; None means every application."""
        return self if application_ids is None else self.filter(application_id__in=application_ids)

    def waiting_to_be_sent(self, *, since: datetime) -> Self:
        """Confirmed intents whose next attempt was due at ``since`` or before and has not begun."""
        return self.filter(status=IntentStatus.PROCESSING, next_request_at__lte=since)

    def overdue(self, *, now: datetime) -> Self:
        """Intents that nobody confirmed in time."""
        return self.filter(status__in=UNCONFIRMED_STATES, expires_at__lte=now)


class PaymentIntent(UuidModel, StatefulModel):
    """
    One sum asked from one payer, until it is paid or closed.

    ``code`` is what a payer types who pays unasked. What is paid may be named (``payable``): it has one live intent, and
    one that has paid it. ``current_attempt`` is the attempt that settled the intent, or else the latest one. Where
    ``is_captured`` is false, what the payer agrees to is only held back until somebody captures it.
    ``methods`` are those by which its payer may be asked, the preferred one first; ``method`` is the one in use, or which paid.
    ``saved_method`` is charged without the payer; null once he has to act himself.
    ``paid_minor`` is what has paid it, of which each part is the money of one attempt: less than was asked for in PARTIALLY_PAID, and
    where less was captured than was agreed to. Money that went back later counts on. ``settled_at`` is when the first of it came.
    ``next_request_at`` is set exactly while an attempt is due and has not begun; where ``is_following``, it follows the last one
    by itself, else its payer has confirmed it. FAILED, CANCELLED and EXPIRED are left only
    by arrived money, IN_REVIEW only by a person, and SUCCEEDED never; a trigger in the database says the same.
    """

    branch = models.ForeignKey("access.Branch", on_delete=models.PROTECT, related_name="+")
    application = models.ForeignKey("access.Application", on_delete=models.PROTECT, related_name="+")
    status = FSMField(
        max_length=24,
        choices=[(state.value, state.value) for state in IntentStatus],
        default=IntentStatus.REQUIRES_METHOD.value,
        protected=True,
    )
    code = models.CharField(max_length=10, unique=True)
    amount_minor = MinorField()
    currency = CurrencyField()
    method = models.CharField(max_length=METHOD_LENGTH, blank=True)
    methods = ArrayField(models.CharField(max_length=METHOD_LENGTH), default=list)
    payer_phone = models.CharField(max_length=16, blank=True)
    payer_name = models.CharField(max_length=120, blank=True)
    payer_email = models.EmailField(max_length=EMAIL_LENGTH, blank=True)
    saved_method = models.ForeignKey(
        "payments.SavedMethod", null=True, on_delete=models.PROTECT, related_name="+"
    )
    is_captured = models.BooleanField(default=True)
    reference = models.CharField(max_length=64, blank=True)
    payable_type = models.CharField(max_length=40, blank=True)
    payable_id = models.CharField(max_length=64, blank=True)
    description = models.CharField(max_length=200, blank=True)
    metadata = models.JSONField(default=dict)
    current_attempt = models.ForeignKey(
        "payments.PaymentAttempt", null=True, on_delete=models.PROTECT, related_name="+"
    )
    next_request_at = models.DateTimeField(null=True)
    is_following = models.BooleanField(default=False)
    failure_code = models.CharField(max_length=CODE_LENGTH, blank=True)
    failure_message = models.CharField(max_length=MESSAGE_LENGTH, blank=True)
    is_late = models.BooleanField(default=False)
    paid_minor = MinorField(default=0)
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    objects = PaymentIntentQuerySet.as_manager()

    if TYPE_CHECKING:
        paying: list["PaymentAttempt"]
        """Only of intents that were read with it, see ``selectors.intents.with_paying``."""

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="intent_amount_positive"),
            models.CheckConstraint(
                condition=Q(status__in=PAID_STATES, settled_at__isnull=False)
                | (~Q(status__in=PAID_STATES) & Q(settled_at__isnull=True)),
                name="intent_settled_states",
            ),
            models.CheckConstraint(
                condition=Q(
                    status=IntentStatus.SUCCEEDED.value, paid_minor__gt=0, paid_minor__lte=F("amount_minor")
                )
                | Q(
                    status=IntentStatus.PARTIALLY_PAID.value,
                    paid_minor__gt=0,
                    paid_minor__lt=F("amount_minor"),
                    is_captured=True,
                )
                | (~one_of("status", MONEY_STATES) & Q(paid_minor=0)),
                name="intent_paid_states",
            ),
            models.CheckConstraint(
                condition=Q(next_request_at__isnull=True) | Q(status=IntentStatus.PROCESSING.value),
                name="intent_request_due_while_processing",
            ),
            models.CheckConstraint(
                condition=Q(saved_method__isnull=True) | Q(methods__len=1), name="intent_saved_method_alone"
            ),
            models.UniqueConstraint(
                fields=["application", "reference"],
                condition=~Q(reference=""),
                name="intent_reference_once_per_application",
            ),
            models.CheckConstraint(
                condition=Q(payable_type="", payable_id="") | Q(~Q(payable_type=""), ~Q(payable_id="")),
                name="intent_payable_whole",
            ),
            models.UniqueConstraint(
                fields=["application", "payable_type", "payable_id"],
                condition=~Q(payable_id="") & one_of("status", LIVE_STATES),
                name="intent_one_live_per_payable",
            ),
            models.UniqueConstraint(
                fields=["application", "payable_type", "payable_id"],
                condition=~Q(payable_id="") & Q(status=IntentStatus.SUCCEEDED.value),
                name="intent_one_paid_per_payable",
            ),
        ]
        indexes = [
            models.Index(fields=["branch", "-id"], name="intent_by_branch"),
            models.Index(fields=["status", "-id"], name="intent_by_status"),
            models.Index(fields=["created_at"], name="intent_by_created"),
            models.Index(fields=["payer_phone", "-id"], name="intent_by_phone"),
            models.Index(fields=["reference"], condition=~Q(reference=""), name="intent_by_reference"),
            models.Index(
                fields=["payable_id", "payable_type"],
                condition=~Q(payable_id=""),
                name="intent_by_payable",
            ),
            models.Index(
                fields=["next_request_at"],
                condition=Q(next_request_at__isnull=False),
                name="intent_request_due",
            ),
            models.Index(
                fields=["expires_at"], condition=Q(status__in=UNCONFIRMED_STATES), name="intent_expiry_due"
            ),
            models.Index(fields=["closed_at"], condition=Q(closed_at__isnull=False), name="intent_by_closed"),
        ]

    def __str__(self) -> str:
        payer = phones.masked(self.payer_phone) if self.payer_phone else self.payer_name or "an unnamed payer"
        return f"{self.money} from {payer}"

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def is_unconfirmed(self) -> bool:
        return self.status in UNCONFIRMED_STATES

    @property
    def is_open(self) -> bool:
        """Not paid and not closed."""
        return self.is_unconfirmed or self.is_collecting

    @property
    def is_collecting(self) -> bool:
        return self.status in COLLECTING_STATES

    @property
    def is_settled(self) -> bool:
        return self.settled_at is not None

    @property
    def is_partly_paid(self) -> bool:
        """A part of the sum has come; more money pays more of it."""
        return self.status == IntentStatus.PARTIALLY_PAID

    @property
    def is_in_parts(self) -> bool:
        """More than one sum has paid it, or will: read it with its current attempt."""
        attempt = self.current_attempt
        return self.is_partly_paid or (
            self.paid_minor > 0 and attempt is not None and attempt.amount_minor < self.amount_minor
        )

    @property
    def is_done(self) -> bool:
        """Money has come, and no more of it pays this."""
        return self.is_settled and not self.is_partly_paid

    @property
    def due(self) -> Money:
        """What is left to pay of the sum that was asked for; nothing once a part has come and the rest was cancelled."""
        if self.is_partly_paid and self.cancel_requested_at is not None:
            return Money.zero(self.currency)
        return Money(self.amount_minor - self.paid_minor, self.currency)

    def can_take(self, money: Money, *, takes_parts: bool) -> bool:
        """
        Say whether a sum that nobody asked for pays what is due: all of it, or a part, where the organisation takes parts or one
        has paid it already.
        """
        if money.currency != self.currency or money > self.due or not money.is_positive:
            return False
        return money == self.money or self.is_partly_paid or (self.is_captured and takes_parts)

    @property
    def is_closed_unpaid(self) -> bool:
        """Failed, cancelled or expired: money that comes now is late."""
        return self.status in UNPAID_STATES

    @property
    def is_in_flight(self) -> bool:
        """A request has left, or is leaving, and nobody knows yet how it ends."""
        return self.is_collecting and self.next_request_at is None

    def save_progress(self) -> None:
        PROGRESS.save(self)

    @transition(
        status,
        source=[IntentStatus.REQUIRES_METHOD, IntentStatus.REQUIRES_CONFIRMATION],
        target=IntentStatus.REQUIRES_CONFIRMATION,
    )
    def choose(self, choice: Choice) -> None:
        self.method = choice.method.value
        self.methods = [method.value for method in choice.methods]
        self.payer_phone = choice.phone
        self.payer_name = choice.payer_name
        self.payer_email = choice.email
        self.saved_method_id = choice.saved_method_id

    @transition(status, source=IntentStatus.REQUIRES_CONFIRMATION, target=IntentStatus.PROCESSING)
    def confirm(self, *, at: datetime) -> None:
        self.confirmed_at = at
        self.next_request_at = at
        self.is_following = False
        self.failure_code = self.failure_message = ""

    @transition(status, source=IntentStatus.PROCESSING, target=IntentStatus.PROCESSING)
    def begin(self, *, attempt: "PaymentAttempt") -> None:
        self.current_attempt = attempt
        self.method = METHODS[attempt.provider].value
        self.next_request_at = None

    @transition(status, source=COLLECTING_STATES, target=IntentStatus.PROCESSING)
    def retry(self, *, at: datetime, after: timedelta) -> None:
        self.next_request_at = at + after
        self.is_following = True

    @transition(status, source=COLLECTING_STATES, target=IntentStatus.PROCESSING)
    def ask_on_page(self, *, at: datetime) -> None:
        """The payer of a saved method is wanted himself, by his bank or wallet: he is asked on a page, and not charged without it."""
        self.saved_method_id = None
        self.next_request_at = at
        self.is_following = False

    @transition(status, source=COLLECTING_STATES, target=RETURN_VALUE(*dict.fromkeys(FOLLOWS.values())))
    def follow(self, attempt: "PaymentAttempt") -> IntentStatus:
        """Take the state that a live attempt implies."""
        return FOLLOWS[AttemptStatus(attempt.status)]

    @transition(
        status,
        source=COLLECTING_STATES,
        target=RETURN_VALUE(IntentStatus.FAILED, IntentStatus.CANCELLED),
    )
    def fail(self, *, code: str, message: str, at: datetime) -> IntentStatus:
        """Close without money: CANCELLED when somebody had asked for that, else FAILED."""
        self.failure_code = code[:CODE_LENGTH]
        self.failure_message = message[:MESSAGE_LENGTH]
        self.closed_at = at
        self.next_request_at = None
        return IntentStatus.CANCELLED if self.cancel_requested_at else IntentStatus.FAILED

    @transition(status, source=COLLECTING_STATES, target=IntentStatus.REQUIRES_CONFIRMATION)
    def reopen(self, *, code: str, message: str) -> None:
        """Wait for the payer again, who was asked in vain and holds a link to ask for another prompt."""
        self.failure_code = code[:CODE_LENGTH]
        self.failure_message = message[:MESSAGE_LENGTH]
        self.next_request_at = None

    @transition(status, source=[*UNCONFIRMED_STATES, IntentStatus.PROCESSING], target=IntentStatus.CANCELLED)
    def cancel(self, *, at: datetime) -> None:
        self.cancel_requested_at = at
        self.closed_at = at
        self.next_request_at = None

    @transition(status, source=UNCONFIRMED_STATES, target=IntentStatus.EXPIRED)
    def expire(self, *, at: datetime) -> None:
        self.failure_code = "expired"
        self.closed_at = at

    @transition(
        status,
        source=[*UNCONFIRMED_STATES, *COLLECTING_STATES, *UNPAID_STATES, *PAID_STATES],
        target=RETURN_VALUE(*PAID_STATES),
    )
    def settle(self, *, attempt: "PaymentAttempt", at: datetime) -> IntentStatus:
        """
        Take in the money of an attempt. The first money settles; more of it counts only while a part is still to be paid, and does
        not where it waits in suspense.
        """
        if self.is_done or (self.is_settled and attempt.is_in_suspense):
            return IntentStatus(self.status)
        if self.settled_at is None:
            self.is_late = self.status in UNPAID_STATES
            self.settled_at = at
        self.method = METHODS[attempt.provider].value
        self.payer_phone = self.payer_phone or attempt.phone
        self.current_attempt = attempt
        self.next_request_at = None
        return IntentStatus.IN_REVIEW if attempt.is_in_suspense else self._count(attempt)

    @transition(
        status,
        source=IntentStatus.IN_REVIEW,
        target=RETURN_VALUE(IntentStatus.SUCCEEDED, IntentStatus.PARTIALLY_PAID),
    )
    def accept(self) -> IntentStatus:
        """A person says that the money of the current attempt pays it, or a part of it."""
        if self.current_attempt is None:
            raise ValueError(f"intent {self.id} has no money to accept")
        return self._count(self.current_attempt)

    def _count(self, attempt: "PaymentAttempt") -> IntentStatus:
        """Count money that pays; less than asked for is all of it where that was captured so."""
        self.paid_minor += attempt.received_minor or 0
        is_part = self.is_captured and self.paid_minor < self.amount_minor
        return IntentStatus.PARTIALLY_PAID if is_part else IntentStatus.SUCCEEDED

    @transition(status, source=IntentStatus.IN_REVIEW, target=IntentStatus.FAILED)
    def give_up(self, *, code: str, message: str, at: datetime) -> None:
        """A person says that the money does not pay it; nothing of it is here any more."""
        self.failure_code = code[:CODE_LENGTH]
        self.failure_message = message[:MESSAGE_LENGTH]
        self.is_late = False
        self.settled_at = None
        self.closed_at = at
