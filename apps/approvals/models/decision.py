"""The decision: one person, one version of a request, once."""

from django.db import models
from django.db.models import Q

from apps.approvals.contracts import Verdict
from apps.approvals.models.delegation import ApprovalDelegation
from apps.approvals.models.request import HASH_LENGTH, PERSON_LENGTH, REASON_LENGTH, ApprovalRequest
from apps.approvals.models.rule import ROLE_LENGTH
from apps.kit.models import InsertOnlyModel, UuidModel


class ApprovalDecision(UuidModel, InsertOnlyModel):
    """
    What a person said to the version that he saw. ``person`` is the human behind whatever he used, ``role`` the role
    that he held then. Where he decided by a delegation, ``on_behalf_of`` is the person who delegated, and ``role`` is his.
    """

    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="decisions")
    payload_version = models.PositiveIntegerField()
    payload_hash = models.CharField(max_length=HASH_LENGTH)
    step = models.PositiveSmallIntegerField()
    verdict = models.CharField(max_length=16, choices=[(verdict.value, verdict.value) for verdict in Verdict])
    membership = models.ForeignKey("access.Membership", on_delete=models.PROTECT, related_name="+")
    person = models.CharField(max_length=PERSON_LENGTH)
    role = models.CharField(max_length=ROLE_LENGTH)
    delegation = models.ForeignKey(ApprovalDelegation, null=True, on_delete=models.PROTECT, related_name="+")
    on_behalf_of = models.CharField(max_length=PERSON_LENGTH, blank=True)
    decided_by = models.CharField(max_length=120)
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request", "person", "payload_version"], name="decision_once_per_person"
            ),
            models.UniqueConstraint(
                fields=["request", "on_behalf_of", "payload_version"],
                condition=~Q(on_behalf_of=""),
                name="decision_once_in_a_name",
            ),
            models.CheckConstraint(condition=~Q(person=""), name="decision_by_a_person"),
            models.CheckConstraint(
                condition=Q(delegation__isnull=True, on_behalf_of="")
                | (Q(delegation__isnull=False) & ~Q(on_behalf_of="")),
                name="decision_in_a_name_by_delegation",
            ),
            models.CheckConstraint(
                condition=Q(verdict=Verdict.APPROVED.value) | ~Q(reason=""),
                name="decision_refusal_has_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict.lower()} at step {self.step}"
