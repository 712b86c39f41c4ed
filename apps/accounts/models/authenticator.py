"""What a person proves himself by beside his password: an authenticator, and recovery codes for when it is lost."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django_otp.models import Device

from apps.kit.models import LockingQuerySet, UuidModel

LONGEST_REST = timedelta(minutes=15)


class Authenticator(Device):
    """
    The device of one person that makes time-based codes; there is a row only once a code of it was seen.

    ``sealed_key`` is its secret, encrypted under the master key. ``last_step`` is the time step of the last code that
    was taken: that code and older ones are refused. After each wrong code the device rests, twice as long as before.
    """

    name: ClassVar[str] = "Authenticator"  # one per person: nothing to tell apart
    confirmed: ClassVar[bool] = True  # a proposal lives in the session, never here

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    sealed_key = models.BinaryField()
    last_step = models.BigIntegerField()
    failures = models.PositiveIntegerField(default=0)
    rests_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    objects = LockingQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} of {self.user_id}"

    def is_resting(self, at: datetime) -> bool:
        return self.rests_until is not None and at < self.rests_until

    def fail(self, at: datetime) -> None:
        """Count a wrong code: one second of rest after the first, then twice as long, 15 minutes at most."""
        seconds = 2 ** min(self.failures, 10)
        self.failures += 1
        self.rests_until = at + min(timedelta(seconds=seconds), LONGEST_REST)

    def succeed(self) -> None:
        self.failures, self.rests_until = 0, None


class RecoveryCode(UuidModel):
    """One of ten codes that stand in for the authenticator, each once; only the keyed hash is kept."""

    authenticator = models.ForeignKey(Authenticator, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["authenticator", "digest"], name="recovery_code_once")]
