"""Events that happened, inserted in the transaction that made them happen."""

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.models import Q, Value
from django.db.models.expressions import DatabaseDefault

from apps.events.contracts import Audience, Event
from apps.kit.models import InsertOnlyModel, InsertOnlyQuerySet, UuidModel, one_of


class IdentityField(models.BigIntegerField):
    """A bigint GENERATED ALWAYS AS IDENTITY beside another primary key: the database numbers, Python reads it back."""

    db_returning = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "editable": False, "unique": True})

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        for fixed in ("editable", "unique"):
            kwargs.pop(fixed, None)
        return name, path, args, kwargs

    def db_type_suffix(self, connection: Any) -> str:  # noqa: ARG002 (Django's signature)
        return "GENERATED ALWAYS AS IDENTITY"

    def get_default(self) -> DatabaseDefault:
        return DatabaseDefault(Value(None), output_field=self)


class OutboxQuerySet(InsertOnlyQuerySet):
    def for_partners(self) -> "OutboxQuerySet":
        return self.filter(audience=Audience.PARTNER)


class OutboxEvent(UuidModel, InsertOnlyModel):
    """
    One published event. ``seq`` grows in the order of the commits within one aggregate (across aggregates it may not).

    Progress is not here but in EventDelivery, one row for each handler.
    """

    seq = IdentityField()
    type = models.CharField(max_length=64)
    version = models.PositiveSmallIntegerField()
    audience = models.CharField(max_length=8, choices=[(kind.value, kind.value) for kind in Audience])
    aggregate_type = models.CharField(max_length=64)
    aggregate_id = models.UUIDField()
    aggregate_version = models.PositiveIntegerField()
    data = models.JSONField()
    branch_id = models.UUIDField(null=True)
    application_id = models.UUIDField(null=True)
    request_id = models.CharField(max_length=64, default="", blank=True)
    occurred_at = models.DateTimeField()

    objects = OutboxQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["application_id", "id"], name="events_outbox_application"),
            models.Index(fields=["type", "id"], name="events_outbox_type"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["aggregate_id", "aggregate_version"], name="events_outbox_version"
            ),
            models.CheckConstraint(
                condition=one_of("audience", Audience) & Q(aggregate_version__gte=1),
                name="events_outbox_known",
            ),
            models.CheckConstraint(
                condition=Q(audience=Audience.INTERNAL.value)
                | Q(application_id__isnull=False, branch_id__isnull=False),
                name="events_outbox_partner_is_owned",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.seq}"

    def as_event(self) -> Event:
        """Return the event as handlers receive it."""
        return Event(
            id=self.id,
            seq=self.seq,
            type=self.type,
            aggregate_type=self.aggregate_type,
            aggregate_id=self.aggregate_id,
            aggregate_version=self.aggregate_version,
            data=self.data,
            branch_id=self.branch_id,
            application_id=self.application_id,
            occurred_at=self.occurred_at,
        )
