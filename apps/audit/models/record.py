"""The audit record: one deed, inserted once."""

from django.db import models

from apps.kit.actors import ActorKind
from apps.kit.models import InsertOnlyModel, UuidModel


class AuditRecord(UuidModel, InsertOnlyModel):
    """
    One deed. Actor, person, application and object are text, so that a record outlives what it speaks of.

    ``changes`` maps a field to ``[before, after]``; secrets never enter it.
    """

    occurred_at = models.DateTimeField()
    action = models.CharField(max_length=64)
    object_type = models.CharField(max_length=64)
    object_id = models.CharField(max_length=64)
    actor_kind = models.CharField(max_length=16, choices=[(kind.value, kind.value) for kind in ActorKind])
    actor_id = models.CharField(max_length=64)
    person = models.CharField(max_length=64, blank=True, default="")
    application = models.CharField(max_length=64, blank=True, default="")
    changes = models.JSONField(default=dict, blank=True)
    reason = models.CharField(max_length=500, blank=True, default="")
    request_id = models.CharField(max_length=64, blank=True, default="")
    ip = models.CharField(max_length=45, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(fields=["-occurred_at", "-id"], name="audit_newest_first"),
            models.Index(fields=["object_type", "object_id", "-occurred_at"], name="audit_of_object"),
            models.Index(fields=["person", "-occurred_at"], name="audit_of_person"),
        ]
        constraints = [
            models.CheckConstraint(condition=~models.Q(action=""), name="audit_action_named"),
            models.CheckConstraint(condition=~models.Q(object_id=""), name="audit_object_named"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id}"
