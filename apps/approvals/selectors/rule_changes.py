"""Reading changes of the rules."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from apps.approvals.contracts import CountedBy, NewRule, NewStep
from apps.approvals.models import ApprovalRequest
from apps.approvals.selectors import requests
from apps.kit.money import Money


def asked_rule(request: ApprovalRequest) -> NewRule | None:
    """Return the rule that the present version of a change asks for; None where it takes one out of use."""
    wanted = requests.present_version(request).payload["wanted"]
    return rule(wanted) if wanted else None


def rule(said: Mapping[str, Any]) -> NewRule:
    """Return the rule that ``rules.described`` wrote down."""

    def minor(text: str) -> int | None:
        return Money.parse(text, said["currency"]).minor if text else None

    return NewRule(
        kind=said["kind"],
        steps=tuple(NewStep(**step) for step in said["steps"]),
        currency=said["currency"],
        minimum_minor=minor(said["minimum"]),
        maximum_minor=minor(said["maximum"]),
        branch_id=UUID(said["branch"]) if said["branch"] else None,
        priority=said["priority"],
        window_hours=said["window_hours"],
        window_by=CountedBy(said["window_by"]) if said["window_by"] else None,
        remind_after_hours=said["remind_after_hours"],
        escalate_after_hours=said["escalate_after_hours"],
        escalate_roles=tuple(said["escalate_roles"]),
    )
