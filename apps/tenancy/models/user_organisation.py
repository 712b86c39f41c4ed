"""Which person is a member of which organisation: an index over all schemas, for the switcher."""

from django.conf import settings
from django.db import models

from apps.kit.models import UuidModel
from apps.tenancy.models.organisation import Organisation


class UserOrganisation(UuidModel):
    """
    An active membership as the platform knows it; the membership itself, with role and branches, is in the organisation.

    It opens nothing: whoever enters is asked for his membership there.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "organisation"], name="user_organisation_once")
        ]
