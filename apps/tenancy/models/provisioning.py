"""The setting up of a new organisation: what was asked for, how far it is, and when it is tried again."""

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.kit.actors import Actor, ActorKind
from apps.kit.models import LockingQuerySet, UuidModel
from apps.tenancy.models.organisation import Organisation

LEASE = timedelta(minutes=2)
TRIES_MAX = 20
WAIT_MAX = timedelta(seconds=60)
PROBLEM_LENGTH = 500


class ProvisioningQuerySet(LockingQuerySet):
    def unfinished(self) -> Self:
        return self.filter(ready_at__isnull=True, failed_at__isnull=True)

    def due(self, *, now: datetime) -> Self:
        return self.unfinished().filter(next_try_at__lte=now)


class Provisioning(UuidModel):
    """
    One step after another, each noted with its time in the transaction that does it: restored, filled, ready.

    ``next_try_at`` is also the lease of the worker that is at it: nobody else begins before. ``problem`` is why the last
    try ended, and with ``failed_at`` why nobody tries again unless somebody asks.
    """

    organisation = models.OneToOneField(Organisation, on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    branch_code = models.CharField(max_length=20)
    branch_name = models.CharField(max_length=120)
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=120)
    actor_person = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()
    restored_at = models.DateTimeField(null=True)
    ready_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField()
    problem = models.CharField(max_length=PROBLEM_LENGTH, blank=True)

    objects = ProvisioningQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ready_at__isnull=True) | Q(failed_at__isnull=True), name="provisioning_one_end"
            ),
            models.CheckConstraint(
                condition=Q(ready_at__isnull=True) | Q(restored_at__isnull=False),
                name="provisioning_in_order",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"],
                name="provisioning_due",
                condition=Q(ready_at__isnull=True, failed_at__isnull=True),
            )
        ]

    @property
    def actor(self) -> Actor:
        """Who asked for the organisation."""
        return Actor(ActorKind(self.actor_kind), self.actor_id, person=self.actor_person)

    @property
    def is_live(self) -> bool:
        return self.ready_at is None and self.failed_at is None

    def take_up(self, *, at: datetime) -> None:
        self.tries += 1
        self.next_try_at = at + LEASE

    def put_off(self, problem: str, *, at: datetime) -> timedelta:
        """Note what was in the way and return how long to wait: 2 seconds, then twice as long each time, a minute at most."""
        wait = min(timedelta(seconds=2 ** min(self.tries, 6)), WAIT_MAX)
        self.problem = problem[:PROBLEM_LENGTH]
        self.next_try_at = at + wait
        return wait

    def fail(self, problem: str, *, at: datetime) -> None:
        self.problem = problem[:PROBLEM_LENGTH]
        self.failed_at = at

    def ask_again(self, *, at: datetime) -> None:
        """Begin to try again after a failure."""
        self.failed_at = None
        self.tries = 0
        self.next_try_at = at

    def finish(self, *, at: datetime) -> None:
        self.ready_at = at
        self.problem = ""
