"""Every HTTP exchange with a provider, as it may be read: one row each, only inserted."""

from collections.abc import Iterable
from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import Q

from apps.integrations.contracts import CallFact, CallStatus
from apps.integrations.models.account import ProviderAccount
from apps.kit.models import InsertOnlyModel, InsertOnlyQuerySet, UuidModel


class ProviderCallQuerySet(InsertOnlyQuerySet):
    def of_subjects(self, subject_ids: Iterable[UUID]) -> Self:
        return self.filter(subject_id__in=subject_ids)

    def of_branches(self, branch_ids: Iterable[UUID] | None) -> Self:
        return self if branch_ids is None else self.filter(account__branch_id__in=branch_ids)


class ProviderCall(UuidModel, InsertOnlyModel):
    """
    One request to a provider and what came back, without secrets and with masked telephone numbers.

    ``subject_id`` is what the call was made for (a payment attempt). Written after the exchange, outside any
    transaction: a crash in between leaves no row, so the absence of a row proves nothing.
    """

    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=32)
    subject_id = models.UUIDField(null=True)
    method = models.CharField(max_length=8)
    url = models.CharField(max_length=500)
    request_headers = models.JSONField()
    request_body = models.TextField(blank=True)
    status = models.CharField(max_length=9, choices=[(item.value, item.value) for item in CallStatus])
    response_status = models.PositiveSmallIntegerField(null=True)
    response_body = models.TextField(blank=True)
    problem = models.CharField(max_length=300, default="", blank=True)
    address = models.CharField(max_length=64, default="", blank=True)
    elapsed_ms = models.PositiveIntegerField()
    called_at = models.DateTimeField()

    objects = ProviderCallQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["subject_id", "id"], name="integrations_call_subject"),
            models.Index(fields=["account", "id"], name="integrations_call_account"),
            models.Index(fields=["account", "called_at"], name="integrations_call_minutes"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status=CallStatus.ANSWERED.value, response_status__isnull=False)
                | Q(
                    status__in=[CallStatus.NOT_SENT.value, CallStatus.NO_ANSWER.value],
                    response_status__isnull=True,
                ),
                name="integrations_call_answer",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.response_status or self.status}"

    def as_fact(self) -> CallFact:
        return CallFact(
            id=self.id,
            kind=self.kind,
            subject_id=self.subject_id,
            method=self.method,
            url=self.url,
            request_body=self.request_body,
            status=self.status,
            response_status=self.response_status,
            response_body=self.response_body,
            problem=self.problem,
            elapsed_ms=self.elapsed_ms,
            called_at=self.called_at,
        )
