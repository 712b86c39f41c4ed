"""The platform's audit trail: what was done to people and organisations as such, outside of any one organisation."""

from django.db import models

from apps.kit.actors import ActorKind
from apps.kit.models import InsertOnlyModel, UuidModel


class PlatformRecord(UuidModel, InsertOnlyModel):
    """
    One deed. Everything that it speaks of is text, so that a record outlives it; ``schema`` is where it was done.

    ``changes`` maps a field to ``[before, after]``; secrets never enter it.
    """

    occurred_at = models.DateTimeField()
    action = models.CharField(max_length=64)
    object_type = models.CharField(max_length=64)
    object_id = models.CharField(max_length=64)
    actor_kind = models.CharField(max_length=16, choices=[(kind.value, kind.value) for kind in ActorKind])
    actor_id = models.CharField(max_length=64)
    person = models.CharField(max_length=64, blank=True, default="")
    schema = models.CharField(max_length=63)
    changes = models.JSONField(default=dict, blank=True)
    reason = models.CharField(max_length=500, blank=True, default="")
    request_id = models.CharField(max_length=64, blank=True, default="")
    ip = models.CharField(max_length=45, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(fields=["-occurred_at", "-id"], name="platform_record_newest_first"),
            models.Index(
                fields=["object_type", "object_id", "-occurred_at"], name="platform_record_of_object"
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=~models.Q(action=""), name="platform_record_action_named"),
            models.CheckConstraint(condition=~models.Q(object_id=""), name="platform_record_object_named"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id}"
