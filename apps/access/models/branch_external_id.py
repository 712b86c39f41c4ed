"""What an application calls a branch: by this id it keeps the branch, and it changes no other one."""

from django.db import models
from django.db.models import Q

from apps.kit.models import LockingQuerySet, UuidModel

EXTERNAL_ID_LENGTH = 64


class BranchExternalId(UuidModel):
    """
    ``external_id`` is the application's own, so that two applications may call different branches the same.

    ``has_opened``: the application opened the branch by this id; else a person linked a branch that was there.
    """

    application = models.ForeignKey("access.Application", on_delete=models.PROTECT, related_name="+")
    branch = models.ForeignKey("access.Branch", on_delete=models.PROTECT, related_name="external_ids")
    external_id = models.CharField(max_length=EXTERNAL_ID_LENGTH)
    has_opened = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    objects = LockingQuerySet.as_manager()

    class Meta:
        verbose_name = "external id of a branch"
        verbose_name_plural = "external ids of branches"
        constraints = [
            models.UniqueConstraint(
                fields=["application", "external_id"], name="branch_external_id_once_per_application"
            ),
            models.UniqueConstraint(
                fields=["application", "branch"], name="branch_called_once_per_application"
            ),
            models.UniqueConstraint(
                fields=["branch"], condition=Q(has_opened=True), name="branch_opened_by_one_application"
            ),
            models.CheckConstraint(condition=~Q(external_id=""), name="branch_external_id_not_empty"),
        ]

    def __str__(self) -> str:
        return self.external_id
