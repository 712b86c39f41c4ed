"""A place where a developer watches webhooks arrive: the inbox and what it received."""

from django.db import models
from django.db.models import Q

from apps.kit.models import LockingQuerySet, UuidModel


class SandboxInbox(UuidModel):
    """
    A URL that accepts webhooks, checks their signature and can be told to fail.

    Without a secret of its own it checks with the secrets of the endpoints that point to it.
    """

    token = models.CharField(max_length=32, unique=True)
    label = models.CharField(max_length=100, default="", blank=True)
    application_id = models.UUIDField()
    sealed_secret = models.BinaryField(default=b"", blank=True)
    fail_status = models.PositiveSmallIntegerField(null=True)
    fail_remaining = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()

    objects = LockingQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "sandbox inboxes"
        constraints = [
            models.CheckConstraint(
                condition=Q(fail_remaining=0) | Q(fail_status__isnull=False),
                name="events_inbox_fails_with_status",
            )
        ]

    def __str__(self) -> str:
        return self.label or self.token

    def next_answer(self) -> int:
        """Return the status to answer now, and count it where failures were ordered."""
        if not self.fail_remaining or self.fail_status is None:
            return 204
        self.fail_remaining -= 1
        return self.fail_status


class SandboxRequest(UuidModel):
    """One request that an inbox received; ``is_signature_valid`` is null where there was no secret to check with."""

    inbox = models.ForeignKey(SandboxInbox, on_delete=models.PROTECT, related_name="requests")
    method = models.CharField(max_length=8)
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    webhook_id = models.CharField(max_length=100, default="", blank=True)
    is_signature_valid = models.BooleanField(null=True)
    signature_note = models.CharField(max_length=200, default="", blank=True)
    answered_status = models.PositiveSmallIntegerField()
    received_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["inbox", "id"], name="events_sandbox_of_inbox")]

    def __str__(self) -> str:
        return f"{self.inbox_id} {self.received_at:%H:%M:%S}"
