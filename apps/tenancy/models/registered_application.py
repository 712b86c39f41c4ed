"""The directory: which applications are registered with the platform, before any organisation lets them in."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition

from apps.kit.models import StatefulModel, UuidModel, one_of
from apps.tenancy.contracts import ApplicationKind, ApplicationStatus

NAME_LENGTH = 120
REASON_LENGTH = 200


class RegisteredApplication(UuidModel, StatefulModel):
    """
    A product or partner that registered itself. ``prefix`` finds it, ``digest`` is the keyed hash of its directory secret.

    It opens no organisation by itself: each lets it in by a link, which makes an application of that organisation.
    """

    name = models.CharField(max_length=NAME_LENGTH)
    kind = models.CharField(max_length=8, choices=[(kind.value, kind.value) for kind in ApplicationKind])
    contact_email = models.EmailField()
    homepage = models.URLField(max_length=200)
    status = FSMField(
        max_length=10,
        choices=[(status.value, status.value) for status in ApplicationStatus],
        default=ApplicationStatus.PENDING.value,
        protected=True,
    )
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    reason = models.CharField(max_length=REASON_LENGTH, blank=True, default="")
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=one_of("status", ApplicationStatus), name="registered_application_status_known"
            ),
            models.CheckConstraint(
                condition=one_of("kind", ApplicationKind), name="registered_application_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(status=ApplicationStatus.PENDING.value) | Q(decided_at__isnull=False),
                name="registered_application_decided",
            ),
            models.CheckConstraint(
                condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="registered_application_digest_form"
            ),
        ]
        indexes = [models.Index(fields=["status", "created_at"], name="registered_application_waiting")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_accepted(self) -> bool:
        return self.status == ApplicationStatus.ACCEPTED

    @transition(status, source=ApplicationStatus.PENDING, target=ApplicationStatus.ACCEPTED)
    def accept(self, *, at: datetime) -> None:
        self.decided_at = at

    @transition(status, source=ApplicationStatus.PENDING, target=ApplicationStatus.REFUSED)
    def refuse(self, *, reason: str, at: datetime) -> None:
        self.reason, self.decided_at = reason, at

    @transition(status, source=ApplicationStatus.ACCEPTED, target=ApplicationStatus.SUSPENDED)
    def suspend(self, *, reason: str, at: datetime) -> None:
        self.reason, self.decided_at = reason, at

    @transition(status, source=ApplicationStatus.SUSPENDED, target=ApplicationStatus.ACCEPTED)
    def resume(self, *, at: datetime) -> None:
        self.reason, self.decided_at = "", at
