"""The membership: a person in this organisation, with a role and the branches that he sees."""

from django.conf import settings
from django.db import models

from apps.kit.models import LockingQuerySet, UuidModel


class Membership(UuidModel):
    """
    The only row of an organisation that points to a user; everything else points to the membership.

    No branches means all of them. A membership ends by ``is_active = False`` and is never deleted.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    role = models.ForeignKey("access.Role", on_delete=models.PROTECT, related_name="memberships")
    branches = models.ManyToManyField("access.Branch", related_name="+", blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    objects = LockingQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user"], name="membership_once_per_user")]

    def __str__(self) -> str:
        return str(self.user)
