"""The role: a named set of permissions."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.kit.models import UuidModel


class Role(UuidModel):
    """
    ``permissions`` are names from ``contracts.PERMISSIONS``; ``defaults`` those that the role was made with or has been
    given by upgrades since: what is not among them is new to it, what is and it lacks was taken away by somebody.
    """

    code = models.CharField(max_length=50)
    name = models.CharField(max_length=120)
    permissions = ArrayField(models.CharField(max_length=64), default=list)
    defaults = ArrayField(models.CharField(max_length=64), default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code"], name="role_code_once")]

    def __str__(self) -> str:
        return self.name
