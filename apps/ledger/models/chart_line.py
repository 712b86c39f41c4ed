"""The organisation's chart of accounts: headings, and the lines below them that accounts are opened on."""

from functools import reduce
from operator import or_

from django.db import models
from django.db.models import Q

from apps.kit.models import LockingQuerySet, UuidModel, one_of
from apps.ledger.contracts import CHART, AccountRole, AccountType
from apps.ledger.models.read_only import choices

SHARDS_MAX = 64


class ChartLine(UuidModel):
    """
    One line of the chart: a heading that only groups, or a line that accounts are opened on.

    A line with a ``role`` gets the accounts that the product books to; one without is the organisation's own, and its
    accounts have the role GENERAL and the line as their owner. The first account gets ``code``; ``width`` says how many
    whole numbers from it belong to the line. Type, role and code stay once an account was opened (a trigger).
    """

    code = models.CharField(max_length=16, unique=True)
    name = models.CharField(max_length=120)
    type = models.CharField(max_length=12, choices=choices(AccountType))
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="children")
    is_heading = models.BooleanField()
    role = models.CharField(max_length=40, choices=choices(AccountRole), null=True, unique=True)
    width = models.SmallIntegerField()
    shards = models.SmallIntegerField()

    objects = LockingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=reduce(
                    or_,
                    (Q(role=role.value, type=line.type.value) for role, line in CHART.items()),
                    Q(role__isnull=True),
                ),
                name="ledger_chart_line_type_of_role",
            ),
            models.CheckConstraint(condition=one_of("type", AccountType), name="ledger_chart_line_type"),
            models.CheckConstraint(
                condition=Q(is_heading=False) | Q(role__isnull=True), name="ledger_chart_line_heading"
            ),
            models.CheckConstraint(condition=Q(width__range=(1, 1000)), name="ledger_chart_line_width"),
            models.CheckConstraint(
                condition=Q(shards__range=(1, SHARDS_MAX)), name="ledger_chart_line_shards"
            ),
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=models.F("id")), name="ledger_chart_line_parent"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"
