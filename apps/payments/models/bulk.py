"""Bulk items: payments asked for together, each of which is created or refused by itself."""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any, Self

from django.db import models
from django.db.models import Q

from apps.kit.models import LockingQuerySet, UuidModel
from apps.payments.contracts.bulks import BulkItemStatus


class BulkItemQuerySet(LockingQuerySet):
    def waiting(self) -> Self:
        """Return those that nobody has come to yet, in their order."""
        return self.filter(LEFT).order_by("position")

    def with_status(self, states: Iterable[BulkItemStatus]) -> Self:
        return self.filter(reduce(or_, (WITH[state] for state in states)))


LEFT = Q(intent__isnull=True, problem__isnull=True)
ENDED = Q(job__finished_at__isnull=False)
WITH = {
    BulkItemStatus.WAITING: LEFT & ~ENDED,
    BulkItemStatus.CREATED: Q(intent__isnull=False),
    BulkItemStatus.REFUSED: Q(problem__isnull=False),
    BulkItemStatus.STOPPED: LEFT & ENDED,
}


class BulkItem(UuidModel):
    """
    One payment of many that were asked for together, by the job that creates them.

    ``position`` counts from 0, as they were sent. ``request`` is what is to be created, gone once that is done or refused:
    then the intent has it, or ``problem`` says why there is none. What a job has not come to when it ends, nobody creates
    any more. ``branch`` is that of the job.
    """

    job = models.ForeignKey("jobs.Job", on_delete=models.PROTECT, related_name="+")
    branch = models.ForeignKey("access.Branch", on_delete=models.PROTECT, related_name="+")
    application = models.ForeignKey("access.Application", on_delete=models.PROTECT, related_name="+")
    position = models.PositiveIntegerField()
    reference = models.CharField(max_length=64, blank=True)
    request: Any = models.JSONField(default=dict)
    intent = models.OneToOneField(
        "payments.PaymentIntent", on_delete=models.PROTECT, related_name="+", null=True
    )
    problem: Any = models.JSONField(null=True)

    objects = BulkItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "position"], name="bulk_item_once"),
            models.CheckConstraint(
                condition=Q(intent__isnull=True) | Q(problem__isnull=True), name="bulk_item_one_end"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position} {self.reference}"

    @property
    def status(self) -> BulkItemStatus:
        """How far it is, by its job, which the caller has read with it."""
        if self.intent_id is not None:
            return BulkItemStatus.CREATED
        if self.problem is not None:
            return BulkItemStatus.REFUSED
        return BulkItemStatus.STOPPED if self.job.finished_at else BulkItemStatus.WAITING
