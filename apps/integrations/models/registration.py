"""What became of registering addresses for payments that come unasked: one row for each time, only inserted."""

from collections.abc import Iterable
from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import Q

from apps.integrations.contracts import InboundVersion, RegistrationStatus
from apps.integrations.models.account import ProviderAccount
from apps.kit.models import InsertOnlyModel, InsertOnlyQuerySet, UuidModel, one_of


class AddressRegistrationQuerySet(InsertOnlyQuerySet):
    def of_branches(self, branch_ids: Iterable[UUID] | None) -> Self:
        return self if branch_ids is None else self.filter(account__branch_id__in=branch_ids)

    def latest_of(self, account_id: UUID) -> Self:
        """Return the newest one of an account."""
        return self.filter(account_id=account_id).order_by("-id")[:1]


class AddressRegistration(UuidModel, InsertOnlyModel):
    """One answer of a provider that was told our addresses; ``reason_code`` says why it FAILED."""

    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=9, choices=[(item.value, item.value) for item in RegistrationStatus])
    version = models.CharField(max_length=2, choices=[(item.value, item.value) for item in InboundVersion])
    is_accepted_by_default = models.BooleanField()
    reason_code = models.CharField(max_length=64, default="", blank=True)
    message = models.CharField(max_length=300, default="", blank=True)
    registered_by = models.CharField(max_length=120)
    registered_at = models.DateTimeField()

    objects = AddressRegistrationQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["account", "id"], name="integrations_registr_account")]
        constraints = [
            models.CheckConstraint(
                condition=one_of("status", RegistrationStatus), name="integrations_registration_status"
            ),
            models.CheckConstraint(
                condition=(Q(status=RegistrationStatus.FAILED.value) & ~Q(reason_code=""))
                | (~Q(status=RegistrationStatus.FAILED.value) & Q(reason_code="")),
                name="integrations_registration_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.registered_at:%d %b %Y}"
