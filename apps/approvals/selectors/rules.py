"""Reading rules."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q

from apps.access.selectors import memberships, roles, scope
from apps.approvals.contracts import CountedBy, NewStep
from apps.approvals.models import ApprovalRule, ApprovalStep
from apps.approvals.models.rule import ROLES_MAX, ApprovalRuleQuerySet
from apps.kit import errors
from apps.kit.money import Money

DECIDE = "approvals.decide"
MANAGE = "approvals.manage"


def visible_to(caller: scope.Principal) -> ApprovalRuleQuerySet:
    """Return the rules that hold in the caller's branches, each with its steps."""
    rules = ApprovalRule.objects.of_branches(scope.branch_ids(caller))
    return rules.select_related("branch").prefetch_related("steps")


def matching(*, kind: str, money: Money | None, branch_id: UUID | None) -> ApprovalRule | None:
    """Return the rule that a deed falls under, or None when nobody has to agree."""
    return ApprovalRule.objects.matching(kind=kind, money=money, branch_id=branch_id).first()


def windows(*, kind: str, money: Money, branch_id: UUID) -> list[tuple[int, CountedBy]]:
    """Return over what time, and by what, the rules that hold for deeds of this kind, currency and branch count together."""
    found = (
        ApprovalRule.objects.holding(kind=kind, branch_id=branch_id)
        .filter(Q(currency="") | Q(currency=money.currency), window_hours__isnull=False)
        .values_list("window_hours", "window_by")
        .distinct()
        .order_by("window_hours", "window_by")
    )
    return [(hours, CountedBy(by)) for hours, by in found if hours]


def reached(*, kind: str, money: Money, branch_id: UUID, hours: int, by: CountedBy) -> ApprovalRule | None:
    """Return the rule with this window whose band a sum has come to, or passed; None while it stays below."""
    found = ApprovalRule.objects.matching(kind=kind, money=money, branch_id=branch_id, is_open_above=True)
    return found.filter(window_hours=hours, window_by=by).first()


def kinds_ever_ruled() -> frozenset[str]:
    """Return the kinds of deeds that there is or was a rule for."""
    return frozenset(ApprovalRule.objects.values_list("kind", flat=True))


def steps_of(rule: ApprovalRule) -> list[ApprovalStep]:
    return sorted(rule.steps.all(), key=lambda step: step.sequence)


def anybody() -> NewStep:
    """Return the step that any one person passes whose role decides requests."""
    return NewStep(sorted(roles.names(having=DECIDE))[:ROLES_MAX])


def get(rule_id: UUID) -> ApprovalRule:
    """Return a rule; raise NotFound for one that does not exist. The caller's scope is not asked."""
    rule = ApprovalRule.objects.filter(id=rule_id).first()
    if rule is None:
        raise errors.NotFound("There is no such approval rule.")
    return rule


def is_satisfiable(rule: ApprovalRule) -> bool:
    """Say whether there are enough people for every step now; whoever asks is not among them, so one more is better."""
    return rule.id not in lacking_people([rule])


def lacking_people(rules: Iterable[ApprovalRule]) -> set[UUID]:
    """
    Return the rules that have too few people at some step: active members whose role is in the group, who may decide
    and who work for the rule's branch.
    """
    people = [
        (member.role.code, scope.of_member(member) or set())
        for member in memberships.everybody().filter(is_active=True).prefetch_related("branches")
        if DECIDE in member.role.permissions
    ]
    return {
        rule.id
        for rule in rules
        for step in rule.steps.all()
        if sum(_may_decide(role, places, step, rule) for role, places in people) < step.needed
    }


def _may_decide(role: str, places: set[UUID], step: ApprovalStep, rule: ApprovalRule) -> bool:
    is_there = not places or rule.branch_id is None or rule.branch_id in places
    return role in step.roles and is_there
