"""The platform's audit trail: what was done to people and organisations as such, outside of any one organisation; and its chain."""

from django.db import models

from apps.kit.trail import TrailLink, TrailRecord, WaitingRecord

COLUMNS = {
    1: (
        "id",
        "occurred_at",
        "recorded_at",
        "transaction",
        "action",
        "object_type",
        "object_id",
        "actor_kind",
        "actor_id",
        "person",
        "schema",
        "changes",
        "reason",
        "request_id",
        "ip",
        "user_agent",
    )
}
"""The columns that each form of a link covers; a new column is a new form."""


class PlatformRecord(TrailRecord):
    """``schema`` is where it was done."""

    schema = models.CharField(max_length=63)

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


class PlatformLink(TrailLink):
    """The place of a record in the platform's chain."""

    record = models.OneToOneField(PlatformRecord, on_delete=models.PROTECT, related_name="link")


class WaitingPlatformRecord(WaitingRecord):
    """A record of the platform that waits for its link."""

    record = models.OneToOneField(
        PlatformRecord, on_delete=models.PROTECT, related_name="waiting", db_constraint=False
    )
