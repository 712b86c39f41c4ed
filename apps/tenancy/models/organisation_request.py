"""The wish of a registered application for a new organisation: a test one at once, a live one when the platform agrees."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition

from apps.kit.models import StatefulModel, UuidModel, one_of
from apps.tenancy.contracts import OrganisationRequestStatus
from apps.tenancy.models.link_request import MESSAGE_LENGTH, SLUG_LENGTH, LinkRequest
from apps.tenancy.models.registered_application import NAME_LENGTH, REASON_LENGTH, RegisteredApplication


class OrganisationRequest(UuidModel, StatefulModel):
    """
    ``slug`` is a wish where it is live, and made by us where it is a test one. ``link`` is what comes of it: it names
    the organisation, and the application is let in through it as soon as that is ready.
    """

    application = models.ForeignKey(RegisteredApplication, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=NAME_LENGTH)
    slug = models.CharField(max_length=SLUG_LENGTH)
    is_test = models.BooleanField()
    owner_email = models.EmailField()
    owner_name = models.CharField(max_length=NAME_LENGTH)
    scopes = ArrayField(models.CharField(max_length=64))
    message = models.CharField(max_length=MESSAGE_LENGTH, blank=True, default="")
    status = FSMField(
        max_length=10,
        choices=[(status.value, status.value) for status in OrganisationRequestStatus],
        default=OrganisationRequestStatus.PENDING.value,
        protected=True,
    )
    link = models.OneToOneField(LinkRequest, on_delete=models.PROTECT, related_name="+", null=True)
    reason = models.CharField(max_length=REASON_LENGTH, blank=True, default="")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=one_of("status", OrganisationRequestStatus),
                name="organisation_request_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status=OrganisationRequestStatus.ACCEPTED.value, link__isnull=False)
                | (~Q(status=OrganisationRequestStatus.ACCEPTED.value) & Q(link__isnull=True)),
                name="organisation_request_has_link",
            ),
            models.UniqueConstraint(
                fields=["application", "name", "is_test"],
                condition=one_of(
                    "status", [OrganisationRequestStatus.PENDING, OrganisationRequestStatus.ACCEPTED]
                ),
                name="organisation_asked_once",
            ),
        ]
        indexes = [models.Index(fields=["status", "-id"], name="organisation_request_waiting")]

    def __str__(self) -> str:
        return self.name

    @transition(status, source=OrganisationRequestStatus.PENDING, target=OrganisationRequestStatus.ACCEPTED)
    def accept(self, *, link: LinkRequest, slug: str, at: datetime) -> None:
        self.link, self.slug, self.decided_at = link, slug, at

    @transition(status, source=OrganisationRequestStatus.PENDING, target=OrganisationRequestStatus.REFUSED)
    def refuse(self, *, reason: str, at: datetime) -> None:
        self.reason, self.decided_at = reason, at

    @transition(status, source=OrganisationRequestStatus.PENDING, target=OrganisationRequestStatus.WITHDRAWN)
    def withdraw(self, *, at: datetime) -> None:
        self.decided_at = at

    @transition(status, source=OrganisationRequestStatus.PENDING, target=OrganisationRequestStatus.EXPIRED)
    def expire(self, *, at: datetime) -> None:
        self.decided_at = at
