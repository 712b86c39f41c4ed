"""The saved view: a list as somebody wants to see it, under a name."""

from typing import Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.kit.models import UuidModel

NAME_LENGTH = 60
LIST_LENGTH = 80
QUERY_LENGTH = 1000
COLUMN_LENGTH = 60


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def owned_by(self, user_id: object) -> Self:
        return self.filter(owner__user_id=user_id, owner__is_active=True)

    def seen_by(self, user_id: object, branch_ids: set[UUID] | None) -> Self:
        """A person's own views, and those shared with everybody or with a branch of his; None means every branch. Those of former members are seen by nobody."""
        everybody = Q(is_shared=True, branch__isnull=True)
        branch = Q(is_shared=True) if branch_ids is None else Q(is_shared=True, branch_id__in=branch_ids)
        seen = Q(owner__user_id=user_id) | everybody | branch
        return self.filter(seen, owner__is_active=True)


class SavedView(UuidModel):
    """
    ``model_label`` is that of a model (``payments.paymentintent``), ``query`` what its address says after the question
    mark, ``columns`` the chosen ones in their order; none means all.

    The view without a name is how its owner sees the list as such.
    """

    owner = models.ForeignKey("access.Membership", on_delete=models.PROTECT, related_name="+")
    model_label = models.CharField(max_length=LIST_LENGTH)
    name = models.CharField(max_length=NAME_LENGTH, blank=True)
    query = models.CharField(max_length=QUERY_LENGTH, blank=True)
    columns = ArrayField(models.CharField(max_length=COLUMN_LENGTH), default=list, blank=True)
    is_default = models.BooleanField(default=False)
    is_shared = models.BooleanField(default=False)
    branch = models.ForeignKey("access.Branch", null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "model_label", "name"], name="view_name_once"),
            models.UniqueConstraint(
                fields=["owner", "model_label"], condition=Q(is_default=True), name="view_one_default"
            ),
            models.CheckConstraint(
                condition=~Q(name="") | Q(is_default=False, is_shared=False, query=""),
                name="view_without_name_is_columns",
            ),
            models.CheckConstraint(
                condition=Q(is_shared=True) | Q(branch__isnull=True), name="view_branch_when_shared"
            ),
        ]

    def __str__(self) -> str:
        return self.name
