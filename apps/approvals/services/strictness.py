"""Strictness: whether steps ask for at least as much as others, and whether a change of rules made any deed laxer."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol
from uuid import UUID

from apps.approvals.contracts import NewRule
from apps.approvals.models import ApprovalRule
from apps.approvals.selectors import rules
from apps.kit import errors
from apps.kit.money import Money

type Place = tuple[str, UUID | None]
"""A kind of deed, and the branch of it."""


class RuleTooLax(errors.Forbidden):
    """Who works for some branches only may ask for more approvals there, never for fewer."""

    code = "approval_rule_too_lax"
    title = "Fewer approvals than before"


class Step(Protocol):
    """One step of a rule or of a request."""

    @property
    def roles(self) -> Sequence[str]: ...

    @property
    def needed(self) -> int: ...

    @property
    def further_roles(self) -> Sequence[str]: ...

    @property
    def further_after_hours(self) -> int | None: ...


def covers(steps: Sequence[Step], others: Sequence[Step]) -> bool:
    """Say whether each of the others has its match in the same order: as many people, of no other roles, and of none sooner."""
    left = iter(steps)
    return all(any(_covers_step(step, other) for step in left) for other in others)


def _covers_step(step: Step, other: Step) -> bool:
    if step.needed < other.needed or not set(step.roles) <= set(other.roles):
        return False
    further = set(step.further_roles) - set(other.roles)
    return further <= set(other.further_roles) and (
        not further or (step.further_after_hours or 0) >= (other.further_after_hours or 0)
    )


def together(steps: Sequence[Step], others: Sequence[Step]) -> Sequence[Step]:
    """Return steps that cover both: one of the two where it does, or else one after the other."""
    if covers(steps, others):
        return steps
    return others if covers(others, steps) else [*steps, *others]


@contextmanager
def kept(*changed: ApprovalRule | NewRule, within: Collection[UUID] | None) -> Iterator[None]:
    """
    Raise RuleTooLax when what is done inside lets a deed pass with less than before; inside a transaction.

    ``changed`` are the rules that come or go; a caller of all branches (``within`` is None) may do it.
    """
    if within is None:
        yield
        return
    places: set[Place] = {(rule.kind, rule.branch_id) for rule in changed}
    sums = {place: _sums(place, changed) for place in places}
    before = {place: _asked(place, sums[place]) for place in places}
    yield
    for place in places:
        after = _asked(place, sums[place])
        if not all(_is_as_strict(now, then) for now, then in zip(after, before[place], strict=True)):
            raise RuleTooLax("Some deeds would need fewer approvals, or those of other people, than before.")


def _sums(place: Place, changed: Sequence[ApprovalRule | NewRule]) -> list[Money | None]:
    """Return sums that stand for all: each at which another rule begins to hold, and no sum at all."""
    kind, branch_id = place
    held = ApprovalRule.objects.holding(kind=kind, branch_id=branch_id)
    ends = {
        Money(end or 0, rule.currency)
        for rule in [*held, *changed]
        if rule.currency
        for end in (0, rule.minimum_minor, rule.maximum_minor)
    }
    return [None, *sorted(ends, key=lambda money: (money.currency, money.minor))]


def _asked(place: Place, sums: list[Money | None]) -> list[ApprovalRule | None]:
    """Return the rule that a deed of each sum falls under, None where nobody has to agree."""
    kind, branch_id = place
    return [rules.matching(kind=kind, money=money, branch_id=branch_id) for money in sums]


def _is_as_strict(now: ApprovalRule | None, then: ApprovalRule | None) -> bool:
    """Say whether a rule asks for at least as much as another: as many people, and as long a window, if there was one."""
    if then is None:
        return True
    if now is None or not covers(rules.steps_of(now), rules.steps_of(then)):
        return False
    if then.window_hours is None:
        return True
    return now.window_by == then.window_by and (now.window_hours or 0) >= then.window_hours
