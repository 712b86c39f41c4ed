"""The role: a named set of permissions, and up to which sums it may ask and approve."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.access.contracts import LimitKind
from apps.kit.models import CurrencyField, LockingQuerySet, MinorField, UuidModel, one_of
from apps.kit.money import Money


class Role(UuidModel):
    """
    ``permissions`` are names from ``contracts.PERMISSIONS``; ``defaults`` those that the role was made with or has been
    given by upgrades since: what is not among them is new to it, what is and it lacks was taken away by somebody. A
    retired role is given to nobody any more and is never deleted: decisions name the role that they were made with.
    """

    code = models.CharField(max_length=50)
    name = models.CharField(max_length=120)
    permissions = ArrayField(models.CharField(max_length=64), default=list)
    defaults = ArrayField(models.CharField(max_length=64), default=list)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = LockingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code"], name="role_code_once"),
            models.CheckConstraint(condition=Q(code__regex=r"^[a-z][a-z0-9_]{0,49}$"), name="role_code_form"),
        ]

    def __str__(self) -> str:
        return self.name


class RoleLimit(UuidModel):
    """The most that a role may ask for, or approve, at once in a currency."""

    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="limits")
    kind = models.CharField(max_length=8, choices=[(kind.value, kind.value) for kind in LimitKind])
    currency = CurrencyField()
    maximum_minor = MinorField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["role", "kind", "currency"], name="role_limit_once"),
            models.CheckConstraint(condition=Q(maximum_minor__gte=0), name="role_limit_not_negative"),
            models.CheckConstraint(condition=one_of("kind", LimitKind), name="role_limit_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind.lower()} up to {self.maximum}"

    @property
    def maximum(self) -> Money:
        return Money(self.maximum_minor, self.currency)
