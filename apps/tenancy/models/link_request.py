"""The link between a registered application and an organisation, from the first wish for it to its end."""

from datetime import datetime
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition

from apps.kit.models import StatefulModel, UuidModel, one_of
from apps.tenancy.contracts import LinkOrigin, LinkStatus
from apps.tenancy.models.organisation import Organisation
from apps.tenancy.models.registered_application import REASON_LENGTH, RegisteredApplication

MESSAGE_LENGTH = 500
SLUG_LENGTH = 50


class LinkRequest(UuidModel, StatefulModel):
    """
    ``wanted_slug`` is what the application asked for; ``organisation`` is whom the platform found by it, if anybody.

    ``scopes`` are those that it asks for, and once it is accepted those that it got; ``application_id_there`` is its
    application in the organisation, ``branch_id_there`` the only branch that it may touch there (none: all of them),
    ``key_id_there`` the key that was handed out here. They are no foreign keys: nothing shared points into an organisation.
    """

    application = models.ForeignKey(RegisteredApplication, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+", null=True)
    origin = models.CharField(max_length=8, choices=[(origin.value, origin.value) for origin in LinkOrigin])
    status = FSMField(
        max_length=10,
        choices=[(status.value, status.value) for status in LinkStatus],
        default=LinkStatus.PENDING.value,
        protected=True,
    )
    wanted_slug = models.CharField(max_length=SLUG_LENGTH)
    message = models.CharField(max_length=MESSAGE_LENGTH, blank=True, default="")
    scopes = ArrayField(models.CharField(max_length=64), default=list)
    application_id_there = models.UUIDField(null=True)
    branch_id_there = models.UUIDField(null=True)
    key_id_there = models.UUIDField(null=True)
    reason = models.CharField(max_length=REASON_LENGTH, blank=True, default="")
    created_at = models.DateTimeField()
    looked_up_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=one_of("status", LinkStatus), name="link_status_known"),
            models.CheckConstraint(condition=one_of("origin", LinkOrigin), name="link_origin_known"),
            models.CheckConstraint(
                condition=~one_of("status", [LinkStatus.ACCEPTED, LinkStatus.REVOKED])
                | Q(organisation__isnull=False, application_id_there__isnull=False, decided_at__isnull=False),
                name="link_accepted_by_somebody",
            ),
            models.UniqueConstraint(
                fields=["application", "wanted_slug"],
                condition=Q(status=LinkStatus.PENDING.value),
                name="link_asked_once",
            ),
            models.UniqueConstraint(
                fields=["application", "organisation"],
                condition=Q(status=LinkStatus.ACCEPTED.value),
                name="link_accepted_once",
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "status", "-id"], name="link_of_organisation"),
            models.Index(
                fields=["expires_at"], condition=Q(status=LinkStatus.PENDING.value), name="link_to_expire"
            ),
        ]

    def __str__(self) -> str:
        return str(self.application)

    @property
    def is_pending(self) -> bool:
        return self.status == LinkStatus.PENDING

    @transition(status, source=LinkStatus.PENDING, target=LinkStatus.ACCEPTED)
    def accept(
        self, *, application_id: UUID, branch_id: UUID | None, scopes: list[str], at: datetime
    ) -> None:
        self.application_id_there, self.branch_id_there, self.scopes = application_id, branch_id, scopes
        self.decided_at = at

    @transition(status, source=LinkStatus.PENDING, target=LinkStatus.REFUSED)
    def refuse(self, *, reason: str, at: datetime) -> None:
        self.reason, self.decided_at = reason, at

    @transition(status, source=LinkStatus.PENDING, target=LinkStatus.WITHDRAWN)
    def withdraw(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(status, source=LinkStatus.PENDING, target=LinkStatus.EXPIRED)
    def expire(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(status, source=LinkStatus.ACCEPTED, target=LinkStatus.REVOKED)
    def revoke(self, *, reason: str, at: datetime) -> None:
        self.reason, self.ended_at = reason, at
