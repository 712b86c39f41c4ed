"""Rules: making them and taking them out of use."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.access.selectors import branches, roles
from apps.access.selectors.branches import BranchForbidden
from apps.approvals.contracts import EXPIRES_IN, KINDS, RULE_CHANGE, NewRule, NewStep
from apps.approvals.models import ApprovalRule, ApprovalStep
from apps.approvals.models.rule import ROLES_MAX
from apps.approvals.services import splits, strictness
from apps.audit.services import records
from apps.kit import errors, ids
from apps.kit.actors import Actor
from apps.kit.money import MINOR_UNITS_MAX, CurrencyUnknown, exponent

PREFIX = "arl"
OBJECT = "approval_rule"
STEPS_MAX = 10
NEEDED_MAX = 20
PRIORITY_MAX = 1000
HOURS_MAX = 720
WAIT_HOURS_MAX = EXPIRES_IN // timedelta(hours=1) - 1
"""What is to happen while a request waits happens before it lapses."""


class RuleInvalid(errors.Invalid):
    """The rule that was asked for cannot be."""

    code = "approval_rule_invalid"
    title = "Approval rule not valid"


@transaction.atomic
def create(
    *,
    rule: NewRule,
    actor: Actor,
    now: datetime,
    within: Collection[UUID] | None = None,
    rule_id: UUID | None = None,
) -> ApprovalRule:
    """
    Make a rule that holds from now on, whoever agreed to it (``rule_changes`` asks); requests that wait already keep the steps that they were asked with.

    A group that has fewer members than it needs is allowed: people come and go. ``within`` are the branches that the
    caller may act for, None for all. Raises RuleInvalid, which names the fields, BranchForbidden for a rule that would
    hold elsewhere too, RuleTooLax for one of a caller of some branches that asks for less than holds without it, and
    NotFound for the branch.
    """
    _begin_window(rule)
    _check(rule)
    _check_place(rule.branch_id, within)
    if rule.branch_id is not None:
        branches.get(rule.branch_id)
    with strictness.kept(rule, within=within):
        return _made(rule, rule_id or ids.new(), actor=actor, now=now)


def _begin_window(rule: NewRule) -> None:
    """Wait for the deeds that a new window counts, before any rule is locked: each of them holds the rule that it falls under."""
    if rule.window_hours is not None:
        splits.begin_window(rule.kind)


def _made(rule: NewRule, rule_id: UUID, *, actor: Actor, now: datetime) -> ApprovalRule:
    made = ApprovalRule.objects.create(
        id=rule_id,
        kind=rule.kind,
        branch_id=rule.branch_id,
        currency=rule.currency,
        minimum_minor=rule.minimum_minor,
        maximum_minor=rule.maximum_minor,
        priority=rule.priority,
        window_hours=rule.window_hours,
        window_by=rule.window_by or "",
        remind_after_hours=rule.remind_after_hours,
        escalate_after_hours=rule.escalate_after_hours,
        escalate_roles=sorted(set(rule.escalate_roles)),
        created_by=str(actor),
        created_at=now,
    )
    steps = [
        ApprovalStep(
            rule=made,
            sequence=place,
            roles=sorted(set(step.roles)),
            needed=step.needed,
            further_roles=sorted(set(step.further_roles) - set(step.roles)),
            further_after_hours=step.further_after_hours,
        )
        for place, step in enumerate(rule.steps, start=1)
    ]
    ApprovalStep.objects.bulk_create(steps)
    _record("approval_rule.created", made, {"rule": [None, described(made, steps)]}, actor, now)
    return made


@transaction.atomic
def deactivate(
    *, rule_id: UUID, actor: Actor, now: datetime, within: Collection[UUID] | None = None
) -> ApprovalRule:
    """
    Take a rule out of use for good; a second time changes nothing.

    Raises NotFound, BranchForbidden for a rule that holds outside ``within``, and RuleTooLax when a caller of some
    branches would leave less than holds with it.
    """
    rule = ApprovalRule.objects.locked().filter(id=rule_id).first()
    if rule is None:
        raise errors.NotFound("There is no such approval rule.")
    _check_place(rule.branch_id, within)
    if not rule.is_active:
        return rule
    with strictness.kept(rule, within=within):
        rule.is_active = False
        rule.deactivated_at = now
        rule.save(update_fields=["is_active", "deactivated_at"])
    _record("approval_rule.deactivated", rule, {"is_active": [True, False]}, actor, now)
    return rule


@transaction.atomic
def replace(
    *,
    rule_id: UUID,
    rule: NewRule,
    actor: Actor,
    now: datetime,
    within: Collection[UUID] | None = None,
    new_id: UUID | None = None,
) -> ApprovalRule:
    """
    Put another rule in the place of one: at no moment is neither in use. A rule itself never changes.

    Raises as ``create``, NotFound, and RuleInvalid for a rule that is out of use already.
    """
    _begin_window(rule)
    old = ApprovalRule.objects.locked().filter(id=rule_id).first()
    if old is None:
        raise errors.NotFound("There is no such approval rule.")
    if not old.is_active:
        raise RuleInvalid("This rule is out of use already. Make a new one.")
    _check_place(old.branch_id, within)
    _check_place(rule.branch_id, within)
    with strictness.kept(old, rule, within=within):
        deactivate(rule_id=rule_id, actor=actor, now=now)
        return create(rule=rule, actor=actor, now=now, rule_id=new_id)


def described(rule: ApprovalRule, steps: Sequence[ApprovalStep]) -> dict[str, Any]:
    """Return a rule in JSON values, for the audit trail and for who decides a change of it."""
    return {
        "kind": rule.kind,
        "branch": str(rule.branch_id) if rule.branch_id else "",
        "currency": rule.currency,
        "minimum": rule.minimum.text if rule.minimum else "",
        "maximum": rule.maximum.text if rule.maximum else "",
        "priority": rule.priority,
        "window_hours": rule.window_hours,
        "window_by": rule.window_by,
        "remind_after_hours": rule.remind_after_hours,
        "escalate_after_hours": rule.escalate_after_hours,
        "escalate_roles": rule.escalate_roles,
        "steps": [
            {
                "roles": step.roles,
                "needed": step.needed,
                "further_roles": step.further_roles,
                "further_after_hours": step.further_after_hours,
            }
            for step in steps
        ],
    }


def _check_place(branch_id: UUID | None, within: Collection[UUID] | None) -> None:
    if within is not None and branch_id not in within:
        raise BranchForbidden("You may change the rules of your own branches only.")


def _check(rule: NewRule) -> None:
    found = [*_band_errors(rule), *_step_errors(rule.steps), *_time_errors(rule)]
    if rule.kind not in KINDS:
        found.insert(0, _wrong("/kind", f"There is no kind {rule.kind}. Choose one of {', '.join(KINDS)}."))
    if rule.currency and rule.kind == RULE_CHANGE.name:
        found.append(_wrong("/currency", "A change of rules has no sum: leave the currency empty."))
    if abs(rule.priority) > PRIORITY_MAX:
        found.append(_wrong("/priority", f"A priority is between -{PRIORITY_MAX} and {PRIORITY_MAX}."))
    if found:
        raise RuleInvalid(" ".join(error.message for error in found), errors=found)


def _band_errors(rule: NewRule) -> list[errors.FieldError]:
    minimum, maximum = rule.minimum_minor, rule.maximum_minor
    if not rule.currency:
        is_banded = minimum is not None or maximum is not None
        return [_wrong("/currency", "Name the currency of the sums.")] if is_banded else []
    try:
        exponent(rule.currency)
    except CurrencyUnknown as unknown:
        return [_wrong("/currency", unknown.detail)]
    if minimum is not None and not 0 <= minimum <= MINOR_UNITS_MAX:
        return [_wrong("/minimum", "The lowest sum is zero or more.")]
    if maximum is not None and not (minimum or 0) < maximum <= MINOR_UNITS_MAX:
        return [_wrong("/maximum", "The upper end is above the lower one.")]
    return []


def _step_errors(steps: Sequence[NewStep]) -> list[errors.FieldError]:
    if not 1 <= len(steps) <= STEPS_MAX:
        return [_wrong("/steps", f"A rule has 1 to {STEPS_MAX} steps.")]
    known = roles.codes()
    found = []
    for place, step in enumerate(steps):
        if not 1 <= step.needed <= NEEDED_MAX:
            found.append(_wrong(f"/steps/{place}/needed", f"A step needs 1 to {NEEDED_MAX} people."))
        if not 1 <= len(step.roles) <= ROLES_MAX:
            found.append(_wrong(f"/steps/{place}/roles", f"A group is 1 to {ROLES_MAX} roles."))
        if unknown := sorted(set(step.roles) - known):
            found.append(_wrong(f"/steps/{place}/roles", f"No such role: {', '.join(unknown)}."))
        found.extend(_further_errors(step, f"/steps/{place}", known))
    return found


def _further_errors(step: NewStep, pointer: str, known: set[str]) -> Iterator[errors.FieldError]:
    hours, further = step.further_after_hours, set(step.further_roles)
    if hours is not None and not 1 <= hours <= WAIT_HOURS_MAX:
        yield _wrong(f"{pointer}/further_after_hours", f"Between 1 and {WAIT_HOURS_MAX} hours.")
    if (hours is None) == bool(further - set(step.roles)):
        yield _wrong(
            f"{pointer}/further_roles",
            "Say after how many hours which other roles decide as well, or neither.",
        )
    if len(further) > ROLES_MAX or (unknown := sorted(further - known)):
        said = (
            f"At most {ROLES_MAX} roles."
            if len(further) > ROLES_MAX
            else f"No such role: {', '.join(unknown)}."
        )
        yield _wrong(f"{pointer}/further_roles", said)


def _time_errors(rule: NewRule) -> Iterator[errors.FieldError]:
    bounds = {
        "window_hours": HOURS_MAX,
        "remind_after_hours": WAIT_HOURS_MAX,
        "escalate_after_hours": WAIT_HOURS_MAX,
    }
    for name, most in bounds.items():
        hours = getattr(rule, name)
        if hours is not None and not 1 <= hours <= most:
            yield _wrong(f"/{name}", f"Between 1 and {most} hours.")
    if (rule.window_hours is None) != (rule.window_by is None):
        yield _wrong("/window_by", "Say over how many hours deeds are counted together, and by what.")
    if (rule.escalate_after_hours is None) == bool(rule.escalate_roles):
        yield _wrong("/escalate_roles", "Say after how many hours who else is told, or neither.")
    if unknown := sorted(set(rule.escalate_roles) - roles.codes()):
        yield _wrong("/escalate_roles", f"No such role: {', '.join(unknown)}.")


def _wrong(pointer: str, message: str) -> errors.FieldError:
    return errors.FieldError(pointer, RuleInvalid.code, message)


def _record(action: str, rule: ApprovalRule, changes: dict[str, Any], actor: Actor, now: datetime) -> None:
    records.write(
        action=action,
        object_type=OBJECT,
        object_id=ids.encode(PREFIX, rule.id),
        actor=actor,
        now=now,
        changes=changes,
    )
