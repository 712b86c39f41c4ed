"""The membership: a person in this organisation, with a role and the branches that he sees."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.kit.models import LockingQuerySet, UuidModel


class Membership(UuidModel):
    """
    The only row of an organisation that points to a user; everything else points to the membership.

    No branches means all of them. A membership ends by ``is_active = False`` and is never deleted.

    It gives nothing before it is confirmed. ``admitted_by`` is who let the person in and may know his link, nobody where
    the platform did, and ``admitted_at`` when; ``confirmed_by`` the other one who knows him, nobody where the platform vouches,
    or where there was no other one: then it waits a day, and the trail says so (``sql/membership_confirmed.sql`` holds who may
    be missing). ``turned_away_at`` is when somebody who waited was refused: he is let in anew, or never. ``managed_until`` is
    when somebody who managed the team lost that: for a time he counts as the other one who is there.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    role = models.ForeignKey("access.Role", on_delete=models.PROTECT, related_name="memberships")
    branches = models.ManyToManyField("access.Branch", related_name="+", blank=True)
    is_active = models.BooleanField(default=True)
    admitted_by = models.ForeignKey(
        "self", on_delete=models.PROTECT, related_name="+", null=True, editable=False
    )
    admitted_at = models.DateTimeField(null=True, editable=False)
    confirmed_by = models.ForeignKey(
        "self", on_delete=models.PROTECT, related_name="+", null=True, editable=False
    )
    confirmed_at = models.DateTimeField(null=True, editable=False)
    turned_away_at = models.DateTimeField(null=True, editable=False)
    managed_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField()

    objects = LockingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user"], name="membership_once_per_user"),
            models.CheckConstraint(
                condition=Q(is_active=False) | Q(confirmed_at__isnull=False),
                name="membership_confirmed_first",
            ),
            models.CheckConstraint(
                condition=Q(turned_away_at__isnull=True) | Q(confirmed_at__isnull=True),
                name="membership_turned_away_waited",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True)
                | Q(confirmed_at__isnull=False, admitted_by__isnull=False),
                name="membership_confirmed_by_whom",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True)
                | (~Q(confirmed_by=F("admitted_by")) & ~Q(confirmed_by=F("id"))),
                name="membership_confirmed_by_another",
            ),
        ]

    def __str__(self) -> str:
        return str(self.user)

    @property
    def is_waiting(self) -> bool:
        """Whether nobody has confirmed it yet, nor turned the person away."""
        return self.confirmed_at is None and self.turned_away_at is None

    @property
    def is_turned_away(self) -> bool:
        """Whether the person was refused before anybody confirmed him."""
        return self.turned_away_at is not None
