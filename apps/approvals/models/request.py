"""The request: one deed that waits for other people, what it was asked with, and the steps frozen into it."""

from collections.abc import Set
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition

from apps.approvals.contracts import ApprovalStatus
from apps.approvals.models.rule import KIND_LENGTH, ROLE_LENGTH, ROLES_MAX
from apps.kit.models import (
    CurrencyField,
    InsertOnlyModel,
    LockingQuerySet,
    MinorField,
    StatefulModel,
    UuidModel,
)
from apps.kit.money import Money

SUMMARY_LENGTH = 200
REASON_LENGTH = 500
PERSON_LENGTH = 64
HASH_LENGTH = 64
DECIDED = [state.value for state in ApprovalStatus if state is not ApprovalStatus.PENDING]

PROGRESS_FIELDS = [
    "status",
    "payload_version",
    "payload_hash",
    "amount_minor",
    "currency",
    "summary",
    "rule",
    "current_step",
    "step_count",
    "step_began_at",
    "reason",
    "decided_at",
]
"""What changes after creation: saved together, under the row's lock."""


class ApprovalRequestQuerySet(LockingQuerySet):
    def of_branches(self, branch_ids: Set[UUID] | None) -> Self:
        """Limit to these branches; None means every branch."""
        return self if branch_ids is None else self.filter(branch_id__in=branch_ids)

    def of_applications(self, application_ids: Set[UUID] | None) -> Self:
        """Limit to these applications; None means every application."""
        return self if application_ids is None else self.filter(application_id__in=application_ids)

    def pending(self) -> Self:
        return self.filter(status=ApprovalStatus.PENDING)

    def overdue(self, *, now: datetime) -> Self:
        """Requests that nobody decided in time."""
        return self.pending().filter(expires_at__lte=now)


class ApprovalRequest(UuidModel, StatefulModel):
    """
    One deed that waits for approval, until it is decided.

    ``payload_hash`` is that of the present version, and decisions on earlier versions are void. ``current_step`` counts
    from 1 to ``step_count``. Whatever is not PENDING never changes again, and APPROVED stands on enough decisions of
    different people who made none of it; triggers in the database say the same. A kind that is always asked for has no
    ``rule`` where none says who decides.
    """

    kind = models.CharField(max_length=KIND_LENGTH)
    subject_id = models.UUIDField()
    subject_reference = models.CharField(max_length=64)
    branch = models.ForeignKey("access.Branch", on_delete=models.PROTECT, related_name="+")
    application = models.ForeignKey("access.Application", on_delete=models.PROTECT, related_name="+")
    rule = models.ForeignKey("approvals.ApprovalRule", null=True, on_delete=models.PROTECT, related_name="+")
    status = FSMField(
        max_length=16,
        choices=[(state.value, state.value) for state in ApprovalStatus],
        default=ApprovalStatus.PENDING.value,
        protected=True,
    )
    payload_version = models.PositiveIntegerField(default=1)
    payload_hash = models.CharField(max_length=HASH_LENGTH)
    amount_minor = MinorField(null=True)
    currency = CurrencyField(blank=True)
    summary = models.CharField(max_length=SUMMARY_LENGTH)
    current_step = models.PositiveSmallIntegerField(default=1)
    step_count = models.PositiveSmallIntegerField()
    step_began_at = models.DateTimeField()
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)
    requested_by = models.CharField(max_length=120)
    requester = models.CharField(max_length=PERSON_LENGTH, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    objects = ApprovalRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_id"],
                condition=Q(status=ApprovalStatus.PENDING.value),
                name="request_one_pending_per_subject",
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__isnull=True, currency="")
                | (Q(amount_minor__isnull=False) & ~Q(currency="")),
                name="request_amount_has_currency",
            ),
            models.CheckConstraint(
                condition=Q(status=ApprovalStatus.PENDING.value, decided_at__isnull=True)
                | (~Q(status=ApprovalStatus.PENDING.value) & Q(decided_at__isnull=False)),
                name="request_decided_states",
            ),
            models.CheckConstraint(
                condition=Q(current_step__gte=1, current_step__lte=models.F("step_count")),
                name="request_step_in_range",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("created_at")), name="request_expires_later"
            ),
        ]
        indexes = [
            models.Index(fields=["branch", "-id"], name="request_by_branch"),
            models.Index(fields=["subject_id"], name="request_by_subject"),
            models.Index(
                fields=["expires_at"],
                condition=Q(status=ApprovalStatus.PENDING.value),
                name="request_expiry_due",
            ),
            models.Index(fields=["decided_at"], name="request_by_decided"),
        ]

    def __str__(self) -> str:
        return self.summary

    @property
    def money(self) -> Money | None:
        return None if self.amount_minor is None else Money(self.amount_minor, self.currency)

    @property
    def is_pending(self) -> bool:
        return self.status == ApprovalStatus.PENDING

    @property
    def is_at_last_step(self) -> bool:
        return self.current_step == self.step_count

    def save_progress(self) -> None:
        self.save(update_fields=PROGRESS_FIELDS)

    @transition(status, source=ApprovalStatus.PENDING, target=ApprovalStatus.PENDING)
    def amend(
        self, *, payload_hash: str, money: Money | None, summary: str, rule_id: UUID, steps: int, at: datetime
    ) -> None:
        """Take another payload: every decision so far is void, and the first step begins again."""
        self.payload_version += 1
        self.payload_hash = payload_hash
        self.amount_minor = money.minor if money else None
        self.currency = money.currency if money else ""
        self.summary = summary
        self.rule_id = rule_id
        self.current_step = 1
        self.step_count = steps
        self.step_began_at = at

    @transition(status, source=ApprovalStatus.PENDING, target=ApprovalStatus.PENDING)
    def advance(self, *, at: datetime) -> None:
        self.current_step += 1
        self.step_began_at = at

    @transition(status, source=ApprovalStatus.PENDING, target=ApprovalStatus.APPROVED)
    def approve(self, *, at: datetime) -> None:
        self.decided_at = at

    @transition(status, source=ApprovalStatus.PENDING, target=ApprovalStatus.REFUSED)
    def refuse(self, *, reason: str, at: datetime) -> None:
        self.reason = reason
        self.decided_at = at

    @transition(status, source=ApprovalStatus.PENDING, target=ApprovalStatus.WITHDRAWN)
    def withdraw(self, *, reason: str, at: datetime) -> None:
        self.reason = reason
        self.decided_at = at

    @transition(status, source=ApprovalStatus.PENDING, target=ApprovalStatus.EXPIRED)
    def expire(self, *, at: datetime) -> None:
        self.decided_at = at


class ApprovalVersion(UuidModel, InsertOnlyModel):
    """What was asked for, and by whom: the first version, and one for each edit. ``number`` counts from 1."""

    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    payload = models.JSONField()
    payload_hash = models.CharField(max_length=HASH_LENGTH)
    amount_minor = MinorField(null=True)
    currency = CurrencyField(blank=True)
    summary = models.CharField(max_length=SUMMARY_LENGTH)
    made_by = models.CharField(max_length=120)
    maker = models.CharField(max_length=PERSON_LENGTH, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "number"], name="version_number_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="version_from_one"),
        ]

    def __str__(self) -> str:
        return f"version {self.number}: {self.summary}"

    @property
    def money(self) -> Money | None:
        return None if self.amount_minor is None else Money(self.amount_minor, self.currency)


class RequestedStep(UuidModel, InsertOnlyModel):
    """A step of a version, copied from the rule that held then: later rules change nothing of it."""

    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="steps")
    payload_version = models.PositiveIntegerField()
    sequence = models.PositiveSmallIntegerField()
    roles = ArrayField(models.CharField(max_length=ROLE_LENGTH), size=ROLES_MAX)
    needed = models.PositiveSmallIntegerField()
    further_roles = ArrayField(
        models.CharField(max_length=ROLE_LENGTH), size=ROLES_MAX, default=list, blank=True
    )
    further_after_hours = models.PositiveSmallIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request", "payload_version", "sequence"], name="requested_step_once"
            ),
            models.CheckConstraint(
                condition=Q(sequence__gte=1, needed__gte=1), name="requested_step_from_one"
            ),
            models.CheckConstraint(condition=Q(roles__len__gte=1), name="requested_step_has_a_group"),
            models.CheckConstraint(
                condition=Q(further_after_hours__isnull=True, further_roles__len=0)
                | Q(further_after_hours__gte=1, further_roles__len__gte=1),
                name="requested_step_further_whole",
            ),
        ]

    def admits(self, role: str, *, since: datetime, now: datetime) -> bool:
        """Say whether a role decides this step, which has waited since then."""
        if role in self.roles:
            return True
        hours = self.further_after_hours
        return role in self.further_roles and hours is not None and now - since >= timedelta(hours=hours)

    def __str__(self) -> str:
        return f"step {self.sequence}: {self.needed} of {', '.join(self.roles)}"
