"""Rules with their steps, and requests with their versions, frozen steps and decisions."""

from apps.approvals.models.counted import CountedDeed, SplitPart
from apps.approvals.models.decision import ApprovalDecision
from apps.approvals.models.delegation import ApprovalDelegation
from apps.approvals.models.named import NamedRow
from apps.approvals.models.reminder import ApprovalReminder
from apps.approvals.models.request import ApprovalRequest, ApprovalVersion, RequestedStep
from apps.approvals.models.rule import ApprovalRule, ApprovalStep

__all__ = [
    "ApprovalDecision",
    "ApprovalDelegation",
    "ApprovalReminder",
    "ApprovalRequest",
    "ApprovalRule",
    "ApprovalStep",
    "ApprovalVersion",
    "CountedDeed",
    "NamedRow",
    "RequestedStep",
    "SplitPart",
]
