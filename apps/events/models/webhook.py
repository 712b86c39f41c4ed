"""Endpoints of partners, the events on their way to them, and every attempt to deliver one."""

import hashlib
from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django_fsm import RETURN_VALUE, FSMField, transition

from apps.events.models.outbox import OutboxEvent
from apps.kit.models import InsertOnlyModel, LockingQuerySet, StatefulModel, UuidModel, one_of

# Waits before each attempt (Standard Webhooks 1.0.0, example schedule): the last one comes after 75 h 35 min 5 s.
LADDER = [
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
]
REASON_LENGTH = 200
WAIT_MAX = timedelta(hours=24)
JITTER = 0.2
LEASE = timedelta(seconds=60)
FAILING_MAX = timedelta(days=5)


class EndpointStatus(models.TextChoices):
    ENABLED = "ENABLED"
    DISABLED = "DISABLED"
    AUTO_DISABLED = "AUTO_DISABLED"


class WebhookStatus(models.TextChoices):
    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    EXHAUSTED = "EXHAUSTED"
    CANCELLED = "CANCELLED"


class AttemptError(models.TextChoices):
    """Why an attempt did not succeed."""

    DNS = "DNS", "no address"
    TCP = "TCP", "no connection"
    TLS = "TLS", "no TLS"
    TIMEOUT = "TIMEOUT", "time-out"
    TOO_LARGE = "TOO_LARGE", "answer too large"
    HTTP_3XX = "HTTP_3XX", "HTTP 3xx"
    HTTP_4XX = "HTTP_4XX", "HTTP 4xx"
    HTTP_5XX = "HTTP_5XX", "HTTP 5xx"
    SSRF_BLOCKED = "SSRF_BLOCKED", "address not allowed"


class WebhookEndpointQuerySet(LockingQuerySet):
    def kept(self) -> "WebhookEndpointQuerySet":
        return self.filter(deleted_at__isnull=True)

    def enabled(self) -> "WebhookEndpointQuerySet":
        return self.kept().filter(status=EndpointStatus.ENABLED)

    def waited_for(self, now: datetime) -> "WebhookEndpointQuerySet":
        """Return those, switched off or not, to which a delivery is due."""
        return self.filter(Exists(WebhookDelivery.objects.due(now).filter(endpoint=OuterRef("id"))))

    def locked(self) -> "WebhookEndpointQuerySet":
        """Lock against other changes; who publishes an event, and points to the endpoint with a planned delivery, is not held up."""
        return self.select_for_update(of=("self",), no_key=True)


class WebhookEndpoint(UuidModel, StatefulModel):
    """
    Where one application wants its events. No ``branch_id`` means all branches, no ``event_types`` all types.

    The signing secret is encrypted for the organisation; during a rotation the one before signs as well, until
    ``previous_secret_until``. A deleted endpoint keeps its deliveries and loses its secrets.
    """

    application_id = models.UUIDField()
    branch_id = models.UUIDField(null=True)
    url = models.CharField(max_length=2000)
    description = models.CharField(max_length=200, default="", blank=True)
    event_types = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    status = FSMField(
        max_length=16, choices=EndpointStatus.choices, default=EndpointStatus.ENABLED, protected=True
    )
    disabled_reason = models.CharField(max_length=REASON_LENGTH, default="", blank=True)
    sealed_secret = models.BinaryField()
    sealed_previous_secret = models.BinaryField(default=b"", blank=True)
    previous_secret_until = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    objects = WebhookEndpointQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["application_id"],
                condition=Q(deleted_at__isnull=True),
                name="events_endpoint_application",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["application_id", "branch_id", "url"],
                condition=Q(deleted_at__isnull=True),
                nulls_distinct=False,
                name="events_endpoint_url_once",
            ),
            models.CheckConstraint(
                condition=one_of("status", EndpointStatus), name="events_endpoint_status_known"
            ),
            models.CheckConstraint(
                condition=Q(deleted_at__isnull=True) | Q(sealed_secret=b"", sealed_previous_secret=b""),
                name="events_endpoint_deleted_without_secret",
            ),
        ]

    def __str__(self) -> str:
        return self.url

    def listens_to(self, event: OutboxEvent) -> bool:
        """Say whether it wants the event's type, of its branch, of its application."""
        return (
            self.application_id == event.application_id
            and self.branch_id in (None, event.branch_id)
            and (not self.event_types or event.type in self.event_types)
        )

    def rotate(self, *, sealed_secret: bytes, until: datetime) -> None:
        """Sign with the new secret, and until then with the present one too."""
        self.sealed_previous_secret = self.sealed_secret
        self.previous_secret_until = until
        self.sealed_secret = sealed_secret

    def erase(self, *, at: datetime) -> None:
        self.deleted_at = at
        self.sealed_secret = b""
        self.sealed_previous_secret = b""
        self.previous_secret_until = None

    def answered(self) -> None:
        self.failing_since = None

    def failed(self, *, at: datetime) -> None:
        self.failing_since = self.failing_since or at

    def is_failing_too_long(self, at: datetime) -> bool:
        return self.failing_since is not None and at - self.failing_since >= FAILING_MAX

    @transition(
        status,
        source=[EndpointStatus.DISABLED, EndpointStatus.AUTO_DISABLED],
        target=EndpointStatus.ENABLED,
    )
    def enable(self) -> None:
        self.disabled_reason = ""
        self.failing_since = None

    @transition(status, source=EndpointStatus.ENABLED, target=EndpointStatus.DISABLED)
    def disable(self, *, reason: str) -> None:
        self.disabled_reason = reason[:REASON_LENGTH]

    @transition(status, source=EndpointStatus.ENABLED, target=EndpointStatus.AUTO_DISABLED)
    def give_up(self, *, reason: str) -> None:
        self.disabled_reason = reason[:REASON_LENGTH]


class WebhookDeliveryQuerySet(LockingQuerySet):
    def due(self, now: datetime) -> "WebhookDeliveryQuerySet":
        return self.filter(
            Q(locked_until__isnull=True) | Q(locked_until__lte=now),
            status=WebhookStatus.PENDING,
            next_attempt_at__lte=now,
        )

    def claim(self, *, at: datetime) -> int:
        """Count one more attempt of each and keep other senders away for LEASE; what a killed one held is taken up then."""
        return self.update(attempt_count=F("attempt_count") + 1, step=F("step") + 1, locked_until=at + LEASE)

    def give_back(self) -> int:
        """Undo a claim under which nothing was sent."""
        return self.update(attempt_count=F("attempt_count") - 1, step=F("step") - 1, locked_until=None)


class WebhookDelivery(UuidModel, StatefulModel):
    """
    One event on its way to one endpoint.

    ``attempt_count`` grows for ever and is the fence between two senders; ``step`` is the rung of the retry ladder and
    starts again when a person replays the delivery.
    """

    event = models.ForeignKey(OutboxEvent, on_delete=models.PROTECT, related_name="webhook_deliveries")
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries")
    status = FSMField(
        max_length=16, choices=WebhookStatus.choices, default=WebhookStatus.PENDING, protected=True
    )
    attempt_count = models.PositiveIntegerField(default=0)
    step = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    locked_until = models.DateTimeField(null=True)
    last_http_status = models.PositiveSmallIntegerField(null=True)
    last_error = models.CharField(max_length=16, choices=AttemptError.choices, default="", blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "webhook deliveries"
        indexes = [
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                condition=Q(status=WebhookStatus.PENDING),
                name="events_webhook_due",
            ),
            models.Index(fields=["endpoint", "id"], name="events_webhook_of_endpoint"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="events_webhook_once"),
            models.CheckConstraint(
                condition=one_of("status", WebhookStatus), name="events_webhook_status_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    status=WebhookStatus.PENDING, next_attempt_at__isnull=False, finished_at__isnull=True
                )
                | (
                    ~Q(status=WebhookStatus.PENDING)
                    & Q(next_attempt_at__isnull=True, finished_at__isnull=False)
                ),
                name="events_webhook_next_attempt",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint_id} {self.event_id}"

    @transition(status, source=WebhookStatus.PENDING, target=WebhookStatus.DELIVERED)
    def deliver(self, *, http_status: int, at: datetime) -> None:
        self._close(at)
        self.last_http_status = http_status
        self.last_error = ""

    @transition(
        status,
        source=WebhookStatus.PENDING,
        target=RETURN_VALUE(WebhookStatus.PENDING, WebhookStatus.EXHAUSTED),
    )
    def fail(
        self, *, error: AttemptError, http_status: int | None, retry_after: timedelta | None, at: datetime
    ) -> WebhookStatus:
        """Wait for the next rung of the ladder, or longer where the receiver asked for it; after the last, give up."""
        self.last_http_status = http_status
        self.last_error = error
        if self.step >= len(LADDER):
            self._close(at)
            return WebhookStatus.EXHAUSTED
        self.locked_until = None
        self.next_attempt_at = at + max(self.wait(), min(retry_after or timedelta(0), WAIT_MAX))
        return WebhookStatus.PENDING

    @transition(status, source=WebhookStatus.PENDING, target=WebhookStatus.CANCELLED)
    def cancel(self, *, at: datetime) -> None:
        self._close(at)

    @transition(status, source="*", target=WebhookStatus.PENDING)
    def replay(self, *, at: datetime) -> None:
        self.step = 0
        self.next_attempt_at = at
        self.finished_at = None

    def wait(self) -> timedelta:
        """Return the wait before the next rung, spread by up to 20 % so that receivers are not hit in step."""
        digest = hashlib.sha256(f"{self.pk}:{self.attempt_count}".encode()).digest()
        spread = int.from_bytes(digest[:4]) / 2**32 * 2 - 1
        return LADDER[self.step] * (1 + JITTER * spread)

    def _close(self, at: datetime) -> None:
        self.next_attempt_at = None
        self.locked_until = None
        self.finished_at = at


class WebhookAttempt(UuidModel, InsertOnlyModel):
    """One attempt to deliver: when, how long, what came back (first 4 kB), or why nothing did."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveIntegerField()
    url = models.CharField(max_length=2000)
    at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    address = models.CharField(max_length=64, default="", blank=True)
    http_status = models.PositiveSmallIntegerField(null=True)
    response_headers = models.JSONField(default=dict)
    response_body = models.TextField(default="", blank=True)
    error = models.CharField(max_length=16, choices=AttemptError.choices, default="", blank=True)
    error_detail = models.CharField(max_length=500, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="events_attempt_once"),
            models.CheckConstraint(
                condition=one_of("error", ["", *AttemptError]), name="events_attempt_error_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id} attempt {self.number}"
