"""The inbox of what providers send: raw bytes that are only inserted, and beside them how far each has come."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import Q
from django_fsm import RETURN_VALUE, FSMField, transition

from apps.integrations.contracts import CallbackFact, CallbackStatus, StoredCallback
from apps.integrations.models.call import ProviderCall
from apps.integrations.models.redaction import readable
from apps.kit.models import InsertOnlyModel, InsertOnlyQuerySet, StatefulModel, UuidModel

EVENT_ID_LENGTH = 120
OPEN = [CallbackStatus.RECEIVED.value, CallbackStatus.UNMATCHED.value]
UNDONE = [CallbackStatus.UNMATCHED.value, CallbackStatus.MALFORMED.value, CallbackStatus.IGNORED.value]
"""Verdicts under which nothing was done: who has the callback read again takes them back."""
FINAL = [status.value for status in CallbackStatus if status.value not in OPEN]


class ProviderCallbackQuerySet(InsertOnlyQuerySet):
    def of_subjects(self, subject_ids: Iterable[UUID]) -> Self:
        return self.filter(processing__subject_id__in=subject_ids)

    def of_branches(self, branch_ids: Collection[UUID] | None) -> Self:
        """Return all, or those of subjects for which an account of these branches made a call."""
        if branch_ids is None:
            return self.all()
        subjects = ProviderCall.objects.of_branches(branch_ids).filter(subject_id__isnull=False)
        return self.filter(processing__subject_id__in=subjects.values("subject_id"))

    def waiting(self) -> Self:
        """Return those that nothing explains and that wait for people."""
        return self.filter(processing__status=CallbackStatus.UNMATCHED.value)


class ProviderCallback(UuidModel, InsertOnlyModel):
    """
    One request that came to a callback address, stored before anybody reads it; forged ones are kept as evidence.

    ``token`` and ``kind`` are parts of the address; ``remote_ip`` is null where it cannot be told.
    """

    token = models.CharField(max_length=64)
    kind = models.CharField(max_length=32)
    body = models.BinaryField()
    headers = models.JSONField()
    remote_ip = models.GenericIPAddressField(null=True)
    sha256 = models.CharField(max_length=64)
    received_at = models.DateTimeField()

    objects = ProviderCallbackQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["token"], name="integrations_callback_token")]

    def __str__(self) -> str:
        return f"{self.kind} {self.received_at:%d %b %Y %H:%M:%S} UTC"

    def as_stored(self) -> StoredCallback:
        return StoredCallback(
            id=self.id,
            token=self.token,
            kind=self.kind,
            body=bytes(self.body),
            received_at=self.received_at,
            remote_ip=self.remote_ip or "",
            headers={name.lower(): value for name, value in self.headers.items()},
        )

    def readable_body(self) -> str:
        """Return the body for people: indented, telephone numbers masked."""
        return readable(bytes(self.body))

    def as_fact(self) -> CallbackFact:
        """Return what a timeline shows; ``processing`` should have been selected along."""
        return CallbackFact(
            id=self.id,
            kind=self.kind,
            subject_id=self.processing.subject_id,
            body=self.readable_body(),
            sha256=self.sha256,
            remote_ip=self.remote_ip or "",
            received_at=self.received_at,
            status=self.processing.status,
            note=self.processing.note,
        )


class CallbackProcessing(StatefulModel):
    """
    What has become of one callback, and for which subject; RECEIVED waits for its reading, UNMATCHED for people.

    ``event_id`` is by which its provider knows a signed message, however often it sends it.
    """

    callback = models.OneToOneField(
        ProviderCallback, on_delete=models.PROTECT, primary_key=True, related_name="processing"
    )
    status = FSMField(
        max_length=10,
        choices=[(item.value, item.value) for item in CallbackStatus],
        default=CallbackStatus.RECEIVED.value,
        protected=True,
    )
    subject_id = models.UUIDField(null=True)
    note = models.CharField(max_length=300, default="", blank=True)
    event_id = models.CharField(max_length=EVENT_ID_LENGTH, default="", blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "callback processing"
        indexes = [
            models.Index(fields=["subject_id"], name="integrations_processing_subj"),
            models.Index(
                fields=["event_id"], condition=~Q(event_id=""), name="integrations_processing_event"
            ),
            models.Index(
                fields=["callback"],
                condition=Q(status=CallbackStatus.UNMATCHED.value),
                name="integrations_processing_wait",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=OPEN, finished_at__isnull=True)
                | Q(status__in=FINAL, finished_at__isnull=False),
                name="integrations_processing_finished",
            )
        ]

    def __str__(self) -> str:
        return str(self.status)

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    @property
    def is_undone(self) -> bool:
        return self.status in UNDONE

    @transition(status, source=OPEN, target=RETURN_VALUE(*FINAL))
    def finish(self, *, verdict: CallbackStatus, note: str, subject_id: UUID | None, at: datetime) -> str:
        self.note = note
        self.subject_id = subject_id or self.subject_id
        self.finished_at = at
        return verdict.value

    @transition(status, source=OPEN, target=CallbackStatus.UNMATCHED.value)
    def set_aside(self, *, note: str, subject_id: UUID | None) -> None:
        """Leave it to people: it is of ours, and nothing explains it."""
        self.note = note
        self.subject_id = subject_id or self.subject_id

    @transition(status, source=UNDONE, target=CallbackStatus.RECEIVED.value)
    def reopen(self) -> None:
        """Take back a verdict under which nothing was done: the callback is read again."""
        self.finished_at = None
