"""The dispute: a payment that its payer has his bank take back, how far that has come, and what money it moved."""

from datetime import datetime
from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import Q
from django_fsm import RETURN_VALUE, FSMField, transition

from apps.integrations.ports import DisputeReport, DisputeStage
from apps.kit.models import CurrencyField, MinorField, StatefulModel, UuidModel, one_of
from apps.kit.money import Money
from apps.kit.polled import PolledQuerySet
from apps.payments.contracts import DisputeAnswer, DisputeFlag, DisputeStatus
from apps.payments.models.answered import APPEAL_DROPPED, REFUSAL_LENGTH, Answered
from apps.payments.models.disputed_money import DisputedMoney

TICKET_LENGTH = 120
REASON_LENGTH = 60
OPEN_STATES = ["INQUIRY", "NEEDS_RESPONSE", "SUBMITTED", "UNDER_REVIEW"]
TAKEN_STATES = ["LOST", "ACCEPTED", "EXPIRED"]
CLOSED_STATES = ["WON", *TAKEN_STATES, "PREVENTED"]
UNANSWERED_STATES = ["INQUIRY", "NEEDS_RESPONSE"]
UNANSWERED = {DisputeStage.INQUIRY, DisputeStage.NEEDS_RESPONSE}
LOST_WHOLE = one_of("status", TAKEN_STATES) & Q(lost_minor__gt=0, reinstated_minor=0)
"""That nothing of what a dispute took has come back, or will but on appeal."""
RUNNING = Q(status__in=OPEN_STATES, is_inquiry=False)
ON_ITS_WAY = Q(answer_due_at__isnull=False)


class DisputeQuerySet(PolledQuerySet):
    def of_branches(self, branch_ids: set[UUID] | None) -> Self:
        """Limit to these branches; None means every branch."""
        return self if branch_ids is None else self.filter(branch_id__in=branch_ids)

    def of_applications(self, application_ids: set[UUID] | None) -> Self:
        """Limit to these applications; None means every application."""
        return self if application_ids is None else self.filter(application_id__in=application_ids)

    def running(self) -> Self:
        """Disputes that have not ended and are no mere inquiries."""
        return self.filter(RUNNING)

    def against_refunds(self) -> Self:
        """Disputes beside which nothing more may go back: running ones, and those that took more than was left."""
        return self.filter(RUNNING | Q(flag=DisputeFlag.EXCEEDS_PAYMENT.value))

    def of_money(self, provider: str, receipt: str) -> Self:
        """Disputes about money of this receipt that hold it, or took it, whatever became of its payment."""
        taken = RUNNING | Q(flag=DisputeFlag.EXCEEDS_PAYMENT.value) | one_of("status", TAKEN_STATES)
        return self.filter(taken, provider=provider, payment_receipt=receipt)

    def unanswered(self) -> Self:
        """Disputes that wait for what we say."""
        return self.filter(status__in=UNANSWERED_STATES)

    def to_answer(self, *, since: datetime) -> Self:
        """Disputes whose answer was due to be sent at ``since`` or before."""
        return self.filter(answer_due_at__lte=since)

    def to_remind(self, *, since: datetime) -> Self:
        return self.filter(next_reminder_at__lte=since)


class Dispute(Answered, DisputedMoney, UuidModel, StatefulModel):
    """
    One dispute of a provider, under its ``ticket``, as it was told last: ``reported_at`` is when that was asked for.

    ``intent`` and ``attempt`` are None for a payment that nobody here knows. ``owner`` looks after it; ``flag`` says why he must.
    ``amount_minor`` is what is disputed, in the currency that the payer paid; ``held_minor`` what of that the attempt counts.
    ``is_inquiry``: a question that moves no money, so the payment can still be refunded; ``question`` is the provider's word for the
    step that asked last, to which our answer belongs. What moved is booked in ``bookings`` steps. ``covered_minor`` is what its loss
    took out of suspense, in the currency of the dispute: a whole sum that was owed to the payer alone, of a payment in review or under
    the receipt that names this dispute. ``due_by`` is when our answer must have come; ``next_reminder_at`` when people are told that it
    comes near.
    """

    intent = models.ForeignKey(
        "payments.PaymentIntent", null=True, on_delete=models.PROTECT, related_name="disputes"
    )
    attempt = models.ForeignKey(
        "payments.PaymentAttempt", null=True, on_delete=models.PROTECT, related_name="disputes"
    )
    branch = models.ForeignKey("access.Branch", on_delete=models.PROTECT, related_name="+")
    application = models.ForeignKey("access.Application", on_delete=models.PROTECT, related_name="+")
    provider = models.CharField(max_length=20)
    provider_account = models.ForeignKey(
        "integrations.ProviderAccount", on_delete=models.PROTECT, related_name="+"
    )
    owner = models.ForeignKey("access.Membership", null=True, on_delete=models.PROTECT, related_name="+")
    ticket = models.CharField(max_length=TICKET_LENGTH)
    payment_receipt = models.CharField(max_length=40, blank=True)
    status = FSMField(
        max_length=24,
        choices=[(state.value, state.value) for state in DisputeStatus],
        default=DisputeStatus.NEEDS_RESPONSE.value,
        protected=True,
    )
    is_inquiry = models.BooleanField(default=False)
    question = models.CharField(max_length=REASON_LENGTH, blank=True)
    flag = models.CharField(
        max_length=20, choices=[(flag.value, flag.value) for flag in DisputeFlag], blank=True
    )
    reason_code = models.CharField(max_length=REASON_LENGTH, blank=True)
    provider_reason = models.CharField(max_length=REASON_LENGTH, blank=True)
    provider_outcome = models.CharField(max_length=REASON_LENGTH, blank=True)
    amount_minor = MinorField()
    currency = CurrencyField()
    held_minor = MinorField(default=0)
    covered_minor = MinorField(default=0)
    bookings = models.PositiveSmallIntegerField(default=0)
    opened_at = models.DateTimeField(null=True)
    due_by = models.DateTimeField(null=True)
    next_reminder_at = models.DateTimeField(null=True)
    next_query_at = models.DateTimeField(null=True)
    query_started_at = models.DateTimeField(null=True)
    reported_at = models.DateTimeField()
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    objects = DisputeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "ticket"], name="dispute_ticket_once"),
            models.CheckConstraint(condition=~Q(ticket=""), name="dispute_has_a_ticket"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="dispute_amount_positive"),
            models.CheckConstraint(
                condition=Q(held_minor=0)
                | Q(held_minor__gt=0, held_minor__lte=models.F("amount_minor"), attempt__isnull=False),
                name="dispute_holds_of_its_payment",
            ),
            models.CheckConstraint(
                condition=Q(attempt__isnull=True, intent__isnull=True)
                | Q(attempt__isnull=False, intent__isnull=False),
                name="dispute_payment_whole",
            ),
            models.CheckConstraint(
                condition=Q(
                    moved_currency="", withdrawn_minor=0, reinstated_minor=0, fee_minor=0, lost_minor=0
                )
                | (
                    ~Q(moved_currency="")
                    & Q(withdrawn_minor__gte=0, reinstated_minor__gte=0, fee_minor__gte=0)
                ),
                name="dispute_moved_in_a_currency",
            ),
            models.CheckConstraint(
                condition=Q(covered_minor=0)
                | LOST_WHOLE & Q(covered_minor__gt=0, covered_minor__lte=models.F("amount_minor")),
                name="dispute_covered_while_lost",
            ),
            models.CheckConstraint(
                condition=(one_of("status", CLOSED_STATES) & Q(closed_at__isnull=False))
                | (one_of("status", OPEN_STATES) & Q(closed_at__isnull=True)),
                name="dispute_closed_states",
            ),
            models.CheckConstraint(
                condition=Q(status=DisputeStatus.SUBMITTED.value) & ON_ITS_WAY & ~Q(answer="")
                | Q(may_appeal=True, answer=DisputeAnswer.APPEAL.value) & ON_ITS_WAY
                | ~Q(status=DisputeStatus.SUBMITTED.value) & ~ON_ITS_WAY,
                name="dispute_answer_due_while_submitted",
            ),
            models.CheckConstraint(
                condition=Q(may_appeal=False) | one_of("status", TAKEN_STATES),
                name="dispute_appealed_once_lost",
            ),
        ]
        indexes = [
            models.Index(fields=["branch", "-id"], name="dispute_by_branch"),
            models.Index(fields=["status", "-id"], name="dispute_by_status"),
            models.Index(
                fields=["next_query_at"], condition=Q(next_query_at__isnull=False), name="dispute_query_due"
            ),
            models.Index(
                fields=["answer_due_at"], condition=Q(answer_due_at__isnull=False), name="dispute_answer_due"
            ),
            models.Index(
                fields=["next_reminder_at"],
                condition=Q(next_reminder_at__isnull=False),
                name="dispute_reminder_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.money}, {self.ticket}"

    @property
    def money(self) -> Money:
        """What is disputed, in the currency that the payer paid."""
        return Money(self.amount_minor, self.currency)

    @property
    def covered(self) -> Money:
        """What the loss took out of suspense."""
        return Money(self.covered_minor, self.currency)

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATES

    @property
    def is_unanswered(self) -> bool:
        return self.status in UNANSWERED_STATES

    @property
    def is_lost(self) -> bool:
        return self.status in TAKEN_STATES

    @property
    def is_answerable(self) -> bool:
        """Whether something can still be said to it, and so be drafted."""
        return self.is_unanswered or self.is_appealable

    def is_lost_by(self, report: DisputeReport) -> bool:
        """Whether a report says that it has taken the same sum for good."""
        is_whole = report.money.minor == self.amount_minor and not (
            report.reinstated and report.reinstated.minor
        )
        return report.stage.value in TAKEN_STATES and is_whole

    def still_asks(self, report: DisputeReport) -> bool:
        """Whether the provider waits for the answer that was ordered: to the same question at the same step, or to the same loss."""
        if self.is_appealing:
            return report.may_appeal
        return report.stage in UNANSWERED and not self._is_asked_anew(report)

    def _is_asked_anew(self, report: DisputeReport) -> bool:
        """Whether a report asks another question than the last one: a chargeback after an inquiry, or at the next step."""
        is_inquiry = report.stage is DisputeStage.INQUIRY
        is_another = is_inquiry != self.is_inquiry or report.question[:REASON_LENGTH] != self.question
        return report.stage in UNANSWERED and is_another

    @property
    def is_owed(self) -> bool:
        """Whether it ended in our favour and its money has not come back yet."""
        is_ours = self.status in {"WON", "PREVENTED"}
        return is_ours and self.withdrawn_minor > 0 and not self.reinstated_minor

    @property
    def claim_minor(self) -> int:
        """What the dispute would hold of its payment, were that much left of it."""
        is_over = self.status in {"WON", "PREVENTED"}
        return 0 if self.is_inquiry or is_over else self.amount_minor

    @transition(
        status,
        source=[*OPEN_STATES, *CLOSED_STATES],
        target=RETURN_VALUE(*OPEN_STATES, *CLOSED_STATES),
    )
    def take(self, report: DisputeReport, *, asked_at: datetime, at: datetime) -> DisputeStatus:
        """Take in what the provider says of it; a report that is asked for again changes nothing."""
        self.amount_minor = report.money.minor
        self.reason_code = report.reason_code[:REASON_LENGTH]
        self.provider_reason = report.provider_reason[:REASON_LENGTH]
        self.provider_outcome = report.outcome[:REASON_LENGTH]
        self.opened_at = self.opened_at or report.opened_at
        self.due_by = report.due_by
        self.reported_at = asked_at
        if self._is_asked_anew(report):
            self.answer = ""  # it asks for one of its own
        if report.stage in UNANSWERED:
            self.question = report.question[:REASON_LENGTH]
        self.is_inquiry = report.stage is DisputeStage.INQUIRY or (
            self.is_inquiry and report.stage is DisputeStage.UNDER_REVIEW and report.withdrawn is None
        )
        self._take_moved(report)
        status = self._status_after(report.stage)
        self._take_answer(status, may_appeal=report.may_appeal)
        self.closed_at = None if status in OPEN_STATES else self.closed_at or at
        self._take_loss(status)
        return status

    def _status_after(self, stage: DisputeStage) -> DisputeStatus:
        """
        Return the state that a stage stands for: what waits for our answer waits no more while that is on its way, and what is
        lost because we gave it up is ACCEPTED, whatever becomes of an appeal that the provider has not looked at.
        """
        if self.status == DisputeStatus.SUBMITTED and self.answer and stage in UNANSWERED:
            return DisputeStatus.SUBMITTED
        is_given_up = self.answer == DisputeAnswer.ACCEPTANCE or self.status == DisputeStatus.ACCEPTED
        if stage is DisputeStage.LOST and is_given_up:
            return DisputeStatus.ACCEPTED
        return DisputeStatus(stage.value)

    def _take_answer(self, status: DisputeStatus, *, may_appeal: bool) -> None:
        """Tell our answer no more where it is not waited for; an appeal that is taken no more may not have been heard."""
        was_appealing = self.is_appealing
        self.may_appeal = may_appeal and status in TAKEN_STATES
        if status != DisputeStatus.SUBMITTED and not (was_appealing and self.may_appeal):
            self.answer_due_at = None
        if status == DisputeStatus.UNDER_REVIEW:
            self.answer_refusal = ""
        elif was_appealing and status in TAKEN_STATES and not self.may_appeal:
            self.answer_refusal = APPEAL_DROPPED

    def _take_loss(self, status: DisputeStatus) -> None:
        """Count what will not come back: all that has not where it is lost, and what is short of it once it has come back."""
        is_settled = status in TAKEN_STATES or (status in CLOSED_STATES and self.reinstated_minor > 0)
        self.lost_minor = self.withdrawn_minor - self.reinstated_minor if is_settled else 0

    def hold(self, held_minor: int) -> None:
        """Count so much of the payment as taken by it."""
        self.held_minor = held_minor

    def cover(self, covered_minor: int) -> None:
        """Count what its loss takes out of suspense now in place of what it took before; a booking of its own."""
        self.covered_minor = covered_minor
        self.bookings += 1

    @transition(status, source=UNANSWERED_STATES, target=DisputeStatus.SUBMITTED)
    def order(self, answer: DisputeAnswer, *, by: str, at: datetime) -> None:
        """Say that this is our answer, which the provider is told next; it is final."""
        self._order(answer, by=by, at=at)

    def order_appeal(self, *, by: str, at: datetime) -> None:
        """
        Say that we appeal, which the provider is told next. The dispute stays lost, in rows and books, until the provider says
        otherwise. Raises ValueError where no appeal is taken, or one is on its way.
        """
        if not self.is_appealable:
            raise ValueError(f"dispute {self.ticket} is not to be appealed")
        self._order(DisputeAnswer.APPEAL, by=by, at=at)

    def _order(self, answer: DisputeAnswer, *, by: str, at: datetime) -> None:
        self.answer = answer.value
        self.answer_number += 1
        self.answer_tries = 0
        self.answer_refusal = ""
        self.answered_by = by
        self.answered_at = at
        self.answer_due_at = at
        self.approval_id = None
        self.next_reminder_at = None

    @transition(
        status,
        source=DisputeStatus.SUBMITTED,
        target=RETURN_VALUE(DisputeStatus.INQUIRY, DisputeStatus.NEEDS_RESPONSE),
    )
    def refuse_answer(self, refusal: str, *, next_query_at: datetime) -> DisputeStatus:
        """The provider did not take our answer: it waits for another one, unless the provider says otherwise when it is asked."""
        self._take_back(refusal, next_query_at=next_query_at)
        return DisputeStatus.INQUIRY if self.is_inquiry else DisputeStatus.NEEDS_RESPONSE

    def refuse_appeal(self, refusal: str, *, next_query_at: datetime) -> None:
        """The provider did not take our appeal: the dispute is lost as before, and may be appealed again while it says so."""
        self._take_back(refusal, next_query_at=next_query_at)

    def _take_back(self, refusal: str, *, next_query_at: datetime) -> None:
        self.answer = ""
        self.answer_refusal = refusal[:REFUSAL_LENGTH]
        self.answer_due_at = None
        self.next_query_at = next_query_at
