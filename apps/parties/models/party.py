"""The party and the ways to reach it."""

from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import Case, Q, Value, When

from apps.kit.models import LockingQuerySet, UuidModel, one_of
from apps.parties.contracts import ARCHIVED, IN_USE, Channel, ContactKind, Language, PartyKind

NAME_LENGTH = 120
EXTERNAL_ID_LENGTH = 64


class PartyQuerySet(LockingQuerySet):
    def of_branches(self, branch_ids: set[UUID] | None) -> Self:
        return self if branch_ids is None else self.filter(branch_id__in=branch_ids)

    def of_applications(self, application_ids: set[UUID] | None) -> Self:
        return self if application_ids is None else self.filter(application_id__in=application_ids)

    def with_state(self) -> Self:
        """Return the parties with ``state``: IN_USE or ARCHIVED."""
        in_use = When(archived_at__isnull=True, then=Value(IN_USE))
        return self.annotate(state=Case(in_use, default=Value(ARCHIVED)))


class Party(UuidModel):
    """
    Somebody the organisation deals with. ``version`` grows with each change: who changes says which one he read.

    An archived party stays for what names it, and is no longer offered.
    """

    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in PartyKind])
    branch = models.ForeignKey("access.Branch", on_delete=models.PROTECT, related_name="+")
    application = models.ForeignKey("access.Application", on_delete=models.PROTECT, related_name="+")
    external_id = models.CharField(max_length=EXTERNAL_ID_LENGTH, blank=True)
    display_name = models.CharField(max_length=NAME_LENGTH)
    legal_name = models.CharField(max_length=NAME_LENGTH, blank=True)
    tax_pin = models.CharField("tax PIN", max_length=11, blank=True)
    language = models.CharField(max_length=2, choices=[(name.value, name.value) for name in Language])
    channel = models.CharField(max_length=10, choices=[(name.value, name.value) for name in Channel])
    metadata = models.JSONField(default=dict, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    objects = PartyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "parties"
        constraints = [
            models.UniqueConstraint(
                fields=["application", "external_id"],
                condition=~Q(external_id=""),
                name="party_external_id_once_per_application",
            ),
            models.CheckConstraint(condition=one_of("kind", PartyKind), name="party_kind_known"),
            models.CheckConstraint(condition=~Q(display_name=""), name="party_has_a_name"),
            models.CheckConstraint(
                condition=Q(tax_pin="") | Q(tax_pin__regex=r"^[AP][0-9]{9}[A-Z]$"), name="party_tax_pin_form"
            ),
        ]
        indexes = [
            models.Index(fields=["branch", "-id"], name="party_by_branch"),
            models.Index(fields=["application", "-id"], name="party_by_application"),
        ]

    def __str__(self) -> str:
        return self.display_name


class ContactPoint(UuidModel):
    """One phone number (E.164) or e-mail address of a party; one of each kind at most is the primary one."""

    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="contacts")
    kind = models.CharField(max_length=6, choices=[(kind.value, kind.value) for kind in ContactKind])
    value = models.CharField(max_length=254)
    is_primary = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["party", "kind", "value"], name="contact_once_per_party"),
            models.UniqueConstraint(
                fields=["party", "kind"], condition=Q(is_primary=True), name="contact_one_primary_of_a_kind"
            ),
            models.CheckConstraint(
                condition=Q(kind=ContactKind.PHONE.value, value__regex=r"^\+[1-9][0-9]{7,14}$")
                | Q(kind=ContactKind.EMAIL.value, value__contains="@"),
                name="contact_value_form",
            ),
        ]
        indexes = [models.Index(fields=["value"], name="contact_by_value")]

    def __str__(self) -> str:
        return self.value
