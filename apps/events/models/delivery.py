"""Progress of each event towards each of its handlers."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django_fsm import RETURN_VALUE, FSMField, transition

from apps.events.models.outbox import OutboxEvent
from apps.kit.models import LockingQuerySet, StatefulModel, UuidModel, one_of

ATTEMPTS_MAX = 20
DELAY_MAX_SECONDS = 300
LEASE = timedelta(seconds=60)
ATOMIC_GRACE = timedelta(seconds=2)
ERROR_LENGTH = 2000


class DeliveryStatus(models.TextChoices):
    PENDING = "PENDING"
    DONE = "DONE"
    DEAD = "DEAD"
    SKIPPED = "SKIPPED"


BLOCKING = [DeliveryStatus.PENDING, DeliveryStatus.DEAD]
FINAL = [DeliveryStatus.DONE, DeliveryStatus.SKIPPED]


class EventDeliveryQuerySet(LockingQuerySet):
    def due(self, now: datetime) -> "EventDeliveryQuerySet":
        """Return what may run now: waiting, its time come, leased to nobody, first of its aggregate and handler."""
        earlier = EventDelivery.objects.filter(
            handler=OuterRef("handler"),
            aggregate_id=OuterRef("aggregate_id"),
            seq__lt=OuterRef("seq"),
            status__in=BLOCKING,
        )
        return self.filter(
            ~Exists(earlier),
            Q(locked_until__isnull=True) | Q(locked_until__lte=now),
            status=DeliveryStatus.PENDING,
            available_at__lte=now,
        )


class EventDelivery(UuidModel, StatefulModel):
    """
    One event on its way to one handler.

    PENDING and DEAD rows hold back the later events of the same aggregate for the same handler, and nothing else.
    ``attempts`` only grows and also serves as a fence: who runs a handler compares it before he records the outcome.
    It may reach ``attempt_limit``, which a requeue raises by another 20.
    """

    event = models.ForeignKey(OutboxEvent, on_delete=models.PROTECT, related_name="deliveries")
    seq = models.BigIntegerField()
    aggregate_id = models.UUIDField()
    handler = models.CharField(max_length=200)
    queue = models.CharField(max_length=32)
    is_atomic = models.BooleanField()
    status = FSMField(
        max_length=8, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING, protected=True
    )
    attempts = models.PositiveIntegerField(default=0)
    attempt_limit = models.PositiveIntegerField(default=ATTEMPTS_MAX)
    available_at = models.DateTimeField()
    locked_until = models.DateTimeField(null=True)
    last_error = models.TextField(default="", blank=True)
    finished_at = models.DateTimeField(null=True)

    objects = EventDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "event deliveries"
        indexes = [
            models.Index(
                fields=["queue", "available_at", "seq"],
                condition=Q(status=DeliveryStatus.PENDING),
                name="events_delivery_due",
            ),
            models.Index(
                fields=["handler", "aggregate_id", "seq"],
                condition=one_of("status", BLOCKING),
                name="events_delivery_order",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["event", "handler"], name="events_delivery_once"),
            models.CheckConstraint(
                condition=one_of("status", DeliveryStatus), name="events_delivery_status_known"
            ),
            models.CheckConstraint(
                condition=(one_of("status", BLOCKING) & Q(finished_at__isnull=True))
                | (one_of("status", FINAL) & Q(finished_at__isnull=False)),
                name="events_delivery_finished",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.handler} {self.seq}"

    def claim(self, *, at: datetime) -> None:
        """
        Count one more attempt and keep others away for a while.

        A killed worker loses the lease of a non-atomic handler after LEASE. An atomic one holds a row lock while it
        runs, which ends with its process, so a short grace is enough.
        """
        self.attempts += 1
        self.locked_until = at + (ATOMIC_GRACE if self.is_atomic else LEASE)

    @transition(status, source=DeliveryStatus.PENDING, target=DeliveryStatus.DONE)
    def finish(self, *, at: datetime) -> None:
        self.finished_at = at
        self.locked_until = None
        self.last_error = ""

    @transition(
        status,
        source=DeliveryStatus.PENDING,
        target=RETURN_VALUE(DeliveryStatus.PENDING, DeliveryStatus.DEAD),
    )
    def fail(self, *, error: str, at: datetime) -> DeliveryStatus:
        """Wait 1, 2, 4 … 300 seconds before the next attempt; after 20 attempts the delivery is dead."""
        self.last_error = error[:ERROR_LENGTH]
        self.locked_until = None
        self.available_at = at + timedelta(seconds=min(2 ** max(self.round - 1, 0), DELAY_MAX_SECONDS))
        return DeliveryStatus.DEAD if self.is_exhausted else DeliveryStatus.PENDING

    @property
    def round(self) -> int:
        """The number of this attempt since the delivery was made or last requeued."""
        return self.attempts - (self.attempt_limit - ATTEMPTS_MAX)

    @property
    def is_exhausted(self) -> bool:
        return self.attempts >= self.attempt_limit

    @transition(status, source=DeliveryStatus.DEAD, target=DeliveryStatus.PENDING)
    def requeue(self, *, at: datetime) -> None:
        self.attempt_limit = self.attempts + ATTEMPTS_MAX
        self.available_at = at
        self.locked_until = None

    @transition(status, source=DeliveryStatus.DEAD, target=DeliveryStatus.SKIPPED)
    def skip(self, *, at: datetime) -> None:
        self.finished_at = at
