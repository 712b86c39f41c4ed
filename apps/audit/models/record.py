"""The audit record: one deed, inserted once; and its place in the chain."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
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
        "application",
        "branch",
        "changes",
        "reason",
        "approval",
        "request_id",
        "ip",
        "user_agent",
    )
}
"""The columns that each form of a link covers; a new column is a new form."""


class AuditRecord(TrailRecord):
    """``application`` is the one that acted, ``branch`` the id of the branch that it is about, ``approval`` that of the request which was agreed to."""

    application = models.CharField(max_length=64, blank=True, default="")
    branch = models.CharField(max_length=64, blank=True, default="")
    approval = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(fields=["-occurred_at", "-id"], name="audit_newest_first"),
            models.Index(fields=["object_type", "object_id", "-occurred_at"], name="audit_of_object"),
            models.Index(fields=["person", "-occurred_at"], name="audit_of_person"),
            models.Index(fields=["request_id"], name="audit_of_request"),
            models.Index(fields=["transaction"], name="audit_of_transaction"),
            models.Index(fields=["action", "-id"], name="audit_of_action"),
            GinIndex(SearchVector("reason", config="simple"), name="audit_words_of_reason"),
        ]
        constraints = [
            models.CheckConstraint(condition=~models.Q(action=""), name="audit_action_named"),
            models.CheckConstraint(condition=~models.Q(object_id=""), name="audit_object_named"),
        ]


class AuditLink(TrailLink):
    """The place of a record in the organisation's chain."""

    record = models.OneToOneField(AuditRecord, on_delete=models.PROTECT, related_name="link")


class WaitingAuditRecord(WaitingRecord):
    """A record of the organisation that waits for its link."""

    record = models.OneToOneField(
        AuditRecord, on_delete=models.PROTECT, related_name="waiting", db_constraint=False
    )
