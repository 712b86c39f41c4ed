"""Reading routing rules, and what was decided by them."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet, prefetch_related_objects

from apps.access.selectors import scope
from apps.integrations.selectors import accounts
from apps.kit import errors
from apps.kit.compiled import Compiled
from apps.payments.contracts import Method, NewRoutingRule, NewRoutingTarget, RoutingStrategy
from apps.payments.models import PaymentAttempt, RoutingDecision, RoutingRule, RoutingTarget
from apps.payments.models.routing import RoutingRuleQuerySet

if TYPE_CHECKING:
    from apps.integrations.models import ProviderAccount

PREFIX = "rtr"
TARGETS = Prefetch("targets", queryset=RoutingTarget.objects.select_related("account").order_by("place"))


_OF_BRANCH = Compiled(
    lambda branch_id: RoutingRule.objects.filter(
        Q(branch__isnull=True) | Q(branch_id=branch_id), is_active=True
    ).in_order(),
    UUID,
)


def visible_to(caller: scope.Principal) -> RoutingRuleQuerySet:
    """Return the rules that hold in the caller's branches, those out of use too, each with its accounts."""
    return everything().of_branches(scope.branch_ids(caller))


def everything() -> RoutingRuleQuerySet:
    """Return all rules, each with its accounts. For internal use: no caller's scope is asked."""
    return RoutingRule.objects.select_related("branch", "for_application").prefetch_related(TARGETS)


def get(rule_id: UUID) -> RoutingRule:
    """Return one rule; raise NotFound. For internal use: no caller's scope is asked."""
    rule = everything().filter(id=rule_id).first()
    if rule is None:
        raise errors.NotFound("There is no such routing rule.")
    return rule


def in_use(branch_id: UUID | None) -> list[tuple[UUID, NewRoutingRule]]:
    """Return the rules in use for payments of a branch (None: of any), in the order in which they are asked."""
    active = RoutingRule.objects.filter(is_active=True)
    rules = list(active.in_order()) if branch_id is None else _OF_BRANCH.all(branch_id)
    prefetch_related_objects(rules, "targets")
    return [(rule.id, terms_of(rule)) for rule in rules]


def terms_of(rule: RoutingRule) -> NewRoutingRule:
    """Return what a rule says."""
    targets = sorted(rule.targets.all(), key=lambda target: target.place)
    return NewRoutingRule(
        name=rule.name,
        position=rule.position,
        targets=tuple(NewRoutingTarget(target.account_id, target.weight) for target in targets),
        strategy=RoutingStrategy(rule.strategy),
        branch_id=rule.branch_id,
        application_id=rule.for_application_id,
        method=Method(rule.method) if rule.method else None,
        currency=rule.currency,
        minimum_minor=rule.minimum_minor,
        maximum_minor=rule.maximum_minor,
        weekdays=rule.weekdays,
        from_time=rule.from_time,
        to_time=rule.to_time,
    )


def accounts_for(caller: scope.Principal) -> dict[UUID, str]:
    """Return the accounts that rules of the caller's branches may name, each by its id with what people call it."""
    return {account.id: str(account) for account in accounts_within(scope.branch_ids(caller))}


def accounts_within(branch_ids: Collection[UUID] | None) -> "QuerySet[ProviderAccount]":
    """Return the accounts that rules of these branches may name, theirs and those of head office; None for all."""
    found = accounts.everything()
    if branch_ids is None:
        return found
    return found.filter(Q(branch_id__in=branch_ids) | Q(branch__is_head_office=True))


def of_intent(intent_id: UUID) -> list[RoutingDecision]:
    """Return the decisions of an intent's attempts, the first one first, each with its rule and its attempt."""
    found = RoutingDecision.objects.filter(attempt__intent_id=intent_id)
    return list(found.select_related("rule", "attempt").order_by("attempt__number"))


def of_attempt(attempt: PaymentAttempt) -> RoutingDecision | None:
    """Return what was decided for an attempt, None for one that was made with money that came unasked."""
    return RoutingDecision.objects.filter(attempt_id=attempt.id).first()


def account_names(decisions: Iterable[RoutingDecision]) -> dict[str, str]:
    """Return the accounts that decisions speak of, each by its id as text with what people call it."""
    told = {text for row in decisions for text in (*row.candidates, *row.dropped)}
    return {str(account.id): str(account) for account in accounts.everything().filter(id__in=told)}
