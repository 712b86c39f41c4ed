"""The invite: a code by which an organisation lets one application in without being asked."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition

from apps.kit.models import StatefulModel, UuidModel, one_of
from apps.tenancy.contracts import InviteStatus
from apps.tenancy.models.link_request import LinkRequest
from apps.tenancy.models.organisation import Organisation

NOTE_LENGTH = 120


class Invite(UuidModel, StatefulModel):
    """
    Good once, until ``expires_at``, and only while who made it may still give what it gives.

    Of the code a digest is kept; ``branch_id_there`` is the only branch that the application may touch (none: all).
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    last4 = models.CharField(max_length=4)
    note = models.CharField(max_length=NOTE_LENGTH)
    scopes = ArrayField(models.CharField(max_length=64))
    branch_id_there = models.UUIDField(null=True)
    status = FSMField(
        max_length=10,
        choices=[(status.value, status.value) for status in InviteStatus],
        default=InviteStatus.PENDING.value,
        protected=True,
    )
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    link = models.OneToOneField(LinkRequest, on_delete=models.PROTECT, related_name="+", null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=one_of("status", InviteStatus), name="invite_status_known"),
            models.CheckConstraint(
                condition=Q(status=InviteStatus.ACCEPTED.value, link__isnull=False)
                | (~Q(status=InviteStatus.ACCEPTED.value) & Q(link__isnull=True)),
                name="invite_taken_by_a_link",
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "-id"], name="invite_of_organisation"),
            models.Index(
                fields=["expires_at"], condition=Q(status=InviteStatus.PENDING.value), name="invite_to_expire"
            ),
        ]

    def __str__(self) -> str:
        return self.note

    @transition(status, source=InviteStatus.PENDING, target=InviteStatus.ACCEPTED)
    def take(self, *, link: LinkRequest, at: datetime) -> None:
        self.link, self.ended_at = link, at

    @transition(status, source=InviteStatus.PENDING, target=InviteStatus.WITHDRAWN)
    def withdraw(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(status, source=InviteStatus.PENDING, target=InviteStatus.EXPIRED)
    def expire(self, *, at: datetime) -> None:
        self.ended_at = at
