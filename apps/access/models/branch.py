"""The branch: a place of business of the organisation; every business row belongs to one."""

from django.db import models
from django.db.models import Q

from apps.kit.models import LockingQuerySet, UuidModel

DEPTH_MAX = 6
"""Levels of branches, head office included; the trigger in sql/branch_tree.sql says the same."""


class Branch(UuidModel):
    """
    ``code`` is short and for people (``NBO-CBD``). An empty ``time_zone`` is that of the organisation. Branches form a
    tree below head office, ``DEPTH_MAX`` levels deep; a trigger refuses a branch below itself.
    """

    code = models.CharField(max_length=20)
    name = models.CharField(max_length=120)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    is_head_office = models.BooleanField(default=False)
    time_zone = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField()

    objects = LockingQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "branches"
        constraints = [
            models.UniqueConstraint(fields=["code"], name="branch_code_once"),
            models.UniqueConstraint(
                fields=["is_head_office"], condition=Q(is_head_office=True), name="branch_one_head_office"
            ),
            models.CheckConstraint(
                condition=Q(is_head_office=False) | Q(parent__isnull=True), name="branch_head_office_is_root"
            ),
            models.CheckConstraint(
                condition=Q(code__regex=r"^[A-Z0-9][A-Z0-9-]{0,19}$"),
                name="branch_code_form",
                violation_error_message="A code is 1 to 20 capital letters, digits and dashes.",
            ),
        ]

    def __str__(self) -> str:
        return self.name
