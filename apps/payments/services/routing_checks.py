"""What a routing rule must fulfil before it can hold."""

from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

from apps.access.selectors import applications, branches
from apps.access.selectors.branches import BranchForbidden
from apps.kit import errors
from apps.kit.errors import FieldError
from apps.kit.models import is_storable
from apps.kit.money import MINOR_UNITS_MAX, CurrencyUnknown, exponent
from apps.payments.contracts import NewRoutingRule, NewRoutingTarget, RoutingStrategy
from apps.payments.models import RoutingRule
from apps.payments.models.routing import NAME_LENGTH
from apps.payments.selectors import routing as stored

POSITIONS = range(1, 1001)
WEIGHTS = range(1, 1001)
TARGETS_MAX = 4
"""The dialog of a rule has a place for each."""
WEEKDAYS = "1234567"


class RoutingRuleInvalid(errors.Invalid):
    """The routing rule contradicts itself, or names what there is not."""

    code = "routing_rule_invalid"
    title = "Routing rule not valid"


def check(
    rule: NewRoutingRule,
    *,
    within: Collection[UUID] | None,
    application_id: UUID | None = None,
    instead_of: UUID | None = None,
) -> None:
    """
    Raise BranchForbidden, or RoutingRuleInvalid naming every wrong field; ``instead_of`` is the rule whose place it takes.

    Who acts ``within`` some branches is told of the accounts there and of those of head office alone, and a key
    (``application_id``) of no application but its own.
    """
    check_place(rule.branch_id, within)
    found = [
        *_name_errors(rule, instead_of),
        *_band_errors(rule),
        *_condition_errors(rule),
        *_application_errors(rule, application_id),
        *_target_errors(rule, within),
    ]
    if found:
        raise RoutingRuleInvalid(found[0].message, errors=found)


def check_place(branch_id: UUID | None, within: Collection[UUID] | None) -> None:
    if within is not None and branch_id not in within:
        raise BranchForbidden("You may change the routing rules of your own branches only.")


def _name_errors(rule: NewRoutingRule, instead_of: UUID | None) -> Iterator[FieldError]:
    if not rule.name.strip() or len(rule.name) > NAME_LENGTH or not is_storable(rule.name):
        yield _wrong("/name", f"A name has 1 to {NAME_LENGTH} characters.")
    if rule.position not in POSITIONS:
        yield _wrong("/position", f"A place is between {POSITIONS[0]} and {POSITIONS[-1]}.")
    other = _in_place(rule, instead_of)
    if other is not None:
        yield _wrong("/position", f"{other.name} stands at place {rule.position} already.")


def _in_place(rule: NewRoutingRule, instead_of: UUID | None) -> RoutingRule | None:
    """Return the rule that stands where this one wants to, but for the one whose place it takes."""
    found = RoutingRule.objects.filter(is_active=True, position=rule.position)
    found = found.filter(branch_id=rule.branch_id) if rule.branch_id else found.filter(branch__isnull=True)
    return (found.exclude(id=instead_of) if instead_of else found).first()


def _band_errors(rule: NewRoutingRule) -> Iterator[FieldError]:
    minimum, maximum = rule.minimum_minor, rule.maximum_minor
    if not rule.currency:
        if minimum is not None or maximum is not None:
            yield _wrong("/currency", "Name the currency of the sums.")
    elif not _is_currency(rule.currency):
        yield _wrong("/currency", f"{rule.currency} is not a currency that is handled here.")
    if minimum is not None and not 0 <= minimum <= MINOR_UNITS_MAX:
        yield _wrong("/minimum", "The lowest sum is zero or more.")
    if maximum is not None and not (minimum or 0) < maximum <= MINOR_UNITS_MAX:
        yield _wrong("/maximum", "The upper end is above the lower one.")


def _condition_errors(rule: NewRoutingRule) -> Iterator[FieldError]:
    if rule.weekdays != "".join(day for day in WEEKDAYS if day in rule.weekdays):
        yield _wrong("/weekdays", "Days are 1 for Monday to 7 for Sunday, each once and in order.")
    if (rule.from_time is None) != (rule.to_time is None) or (
        rule.from_time is not None and rule.from_time == rule.to_time
    ):
        yield _wrong("/to_time", "Say from when until when, at two different times, or neither.")
    if rule.branch_id is not None and rule.branch_id not in branches.names():
        yield _wrong("/branch_id", "There is no such branch.")


def _application_errors(rule: NewRoutingRule, own_id: UUID | None) -> Iterator[FieldError]:
    known = applications.names() if own_id is None else {own_id}
    if rule.application_id is not None and rule.application_id not in known:
        yield _wrong("/application_id", "There is no such application, or it is not yours.")


def _target_errors(rule: NewRoutingRule, within: Collection[UUID] | None) -> Iterator[FieldError]:
    targets = rule.targets
    if not 1 <= len(targets) <= TARGETS_MAX:
        yield _wrong("/targets", f"A rule names 1 to {TARGETS_MAX} accounts.")
    if len({target.account_id for target in targets}) != len(targets):
        yield _wrong("/targets", "An account stands in a rule once.")
    known = {account.id: account for account in stored.accounts_within(within)}
    for place, target in enumerate(targets):
        account = known.get(target.account_id)
        for field, message in _target_faults(rule, target, account):
            yield _wrong(f"/targets/{place}/{field}", message)


def _target_faults(rule: NewRoutingRule, target: NewRoutingTarget, account: Any) -> Iterator[tuple[str, str]]:
    """Yield the field of a target that is wrong, and why; ``account`` is None where there is none such."""
    if (rule.strategy is RoutingStrategy.SPLIT) != (target.weight is not None):
        yield "weight", "Shares go with a split, and with nothing else."
    elif target.weight is not None and target.weight not in WEIGHTS:
        yield "weight", f"A share is between {WEIGHTS[0]} and {WEIGHTS[-1]}."
    if account is None:
        yield "account_id", "There is no such provider account."
        return
    if rule.currency not in ("", account.currency):
        yield "account_id", f"{account} collects {account.currency}."
    if rule.method is not None and rule.method.provider != account.provider:
        yield "account_id", f"{account} does not collect by {rule.method.lower()}."
    if account.branch_id != rule.branch_id and not account.branch.is_head_office:
        yield "account_id", "It serves another branch alone."


def _is_currency(currency: str) -> bool:
    try:
        exponent(currency)
    except CurrencyUnknown:
        return False
    return True


def _wrong(pointer: str, message: str) -> FieldError:
    return FieldError(pointer, RoutingRuleInvalid.code, message)
