"""What an application asks to be granted in place of what its link grants now."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition

from apps.kit.models import StatefulModel, UuidModel, one_of
from apps.tenancy.contracts import GrantChangeStatus
from apps.tenancy.models.link_request import MESSAGE_LENGTH, LinkRequest
from apps.tenancy.models.registered_application import REASON_LENGTH


class GrantChange(UuidModel, StatefulModel):
    """
    ``scopes`` and ``branch_id_there`` (none: all of them) are all that the link is to grant, not only what is new.

    One of a link waits at a time. Whether anybody has to agree was decided when it was asked for: a change that only takes
    away is made at once, and no row of it is kept.
    """

    link = models.ForeignKey(LinkRequest, on_delete=models.PROTECT, related_name="changes")
    scopes = ArrayField(models.CharField(max_length=64))
    branch_id_there = models.UUIDField(null=True)
    message = models.CharField(max_length=MESSAGE_LENGTH, blank=True, default="")
    status = FSMField(
        max_length=10,
        choices=[(status.value, status.value) for status in GrantChangeStatus],
        default=GrantChangeStatus.PENDING.value,
        protected=True,
    )
    reason = models.CharField(max_length=REASON_LENGTH, blank=True, default="")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=one_of("status", GrantChangeStatus), name="grant_change_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status=GrantChangeStatus.PENDING.value, ended_at__isnull=True)
                | (~Q(status=GrantChangeStatus.PENDING.value) & Q(ended_at__isnull=False)),
                name="grant_change_ended_once",
            ),
            models.CheckConstraint(condition=Q(scopes__len__gt=0), name="grant_change_grants_something"),
            models.UniqueConstraint(
                fields=["link"],
                condition=Q(status=GrantChangeStatus.PENDING.value),
                name="grant_change_one_waits",
            ),
        ]
        indexes = [
            models.Index(fields=["link", "-id"], name="grant_change_of_link"),
            models.Index(
                fields=["expires_at"],
                condition=Q(status=GrantChangeStatus.PENDING.value),
                name="grant_change_to_expire",
            ),
        ]

    def __str__(self) -> str:
        return str(self.link)

    @property
    def is_pending(self) -> bool:
        return self.status == GrantChangeStatus.PENDING

    @transition(status, source=GrantChangeStatus.PENDING, target=GrantChangeStatus.ACCEPTED)
    def accept(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(status, source=GrantChangeStatus.PENDING, target=GrantChangeStatus.REFUSED)
    def refuse(self, *, reason: str, at: datetime) -> None:
        self.reason, self.ended_at = reason, at

    @transition(status, source=GrantChangeStatus.PENDING, target=GrantChangeStatus.WITHDRAWN)
    def withdraw(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(status, source=GrantChangeStatus.PENDING, target=GrantChangeStatus.EXPIRED)
    def expire(self, *, at: datetime) -> None:
        self.ended_at = at
