"""Error rules: an organisation says what a provider's refusals stand for; the adapter's own table holds where it says nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.audit.services import records
from apps.integrations import registry
from apps.integrations.contracts import ErrorRule, Flow, reasons
from apps.integrations.models import ProviderErrorRule
from apps.integrations.models.error_rule import RETRY_AFTER_MAX
from apps.integrations.ports import RAIL_FAULTS
from apps.kit.actors import Actor
from apps.kit.errors import FieldError, Invalid, NotFound
from apps.kit.models import is_storable

OBJECT_TYPE = "provider_error_rule"
RETRY_AFTER = range(1, RETRY_AFTER_MAX + 1)
LENGTHS = {"code": range(1, 33), "contains": range(101), "payer_message": range(201)}


class ErrorRuleInvalid(Invalid):
    """The rule names a provider, a flow or a reason that there is not, or a text that is too long."""

    code = "error_rule_invalid"
    title = "Rule not valid"


class ErrorRuleMissing(NotFound):
    """There is no rule with that id."""

    code = "error_rule_missing"
    title = "No such rule"


@transaction.atomic
def put(*, rule: ErrorRule, actor: Actor, now: datetime) -> ProviderErrorRule:
    """
    Say what refusals of one code stand for, in place of what was said of the same code and text before.

    It holds for what a provider says from now on; nothing that was recorded changes. Raises ErrorRuleInvalid naming
    every wrong field.
    """
    _check(rule)
    key: dict[str, Any] = {
        "provider": rule.provider,
        "flow": rule.flow.value,
        "code": rule.code,
        "contains": rule.contains,
    }
    said = {
        name: getattr(rule, name)
        for name in ("reason_code", "is_open", "payer_message", "retry_after_seconds", "may_fall_back")
    }
    found = ProviderErrorRule.objects.locked().filter(**key).first()
    before = {name: getattr(found, name) for name in said} if found and found.is_enabled else {}
    row, _ = ProviderErrorRule.objects.update_or_create(
        **key, defaults={**said, "is_enabled": True, "changed_at": now}
    )
    changes = {name: [before.get(name), value] for name, value in said.items() if before.get(name) != value}
    _record("put", row, actor, now, changes)
    return row


@transaction.atomic
def retire(*, rule_id: UUID, actor: Actor, now: datetime, reason: str) -> ProviderErrorRule:
    """Let the adapter's own table hold again; a rule that is retired already stays so. Raises ErrorRuleMissing."""
    row = ProviderErrorRule.objects.locked().filter(id=rule_id).first()
    if row is None:
        raise ErrorRuleMissing("There is no rule with that id.")
    if not row.is_enabled:
        return row
    row.is_enabled = False
    row.changed_at = now
    row.save(update_fields=["is_enabled", "changed_at"])
    _record("retire", row, actor, now, {"is_enabled": [True, False]}, reason)
    return row


def _record(
    deed: str,
    row: ProviderErrorRule,
    actor: Actor,
    now: datetime,
    changes: Mapping[str, object],
    reason: str = "",
) -> None:
    records.write(
        action=f"provider_error_rule.{deed}",
        object_type=OBJECT_TYPE,
        object_id=str(row.id),
        actor=actor,
        now=now,
        changes=dict(changes),
        reason=reason,
    )


def _check(rule: ErrorRule) -> None:
    wrong = [
        FieldError(f"/{name}", "invalid", message)
        for is_right, name, message in (
            (rule.provider in registry.providers(), "provider", "There is no such provider here."),
            (rule.flow in Flow, "flow", "There is no such flow."),
            (
                rule.reason_code in reasons(rule.provider),
                "reason_code",
                "Refusals of this provider stand for none such.",
            ),
            (
                not (rule.is_open and rule.may_fall_back),
                "may_fall_back",
                "What may have been carried out is asked after: no other account is asked.",
            ),
            (
                rule.is_open or not rule.may_fall_back or _is_of_rail(rule),
                "may_fall_back",
                "Another account asks only after a fault of the account or of the rail, never after what the payer said.",
            ),
            (
                rule.retry_after_seconds is None or rule.retry_after_seconds in RETRY_AFTER,
                "retry_after_seconds",
                f"Say 1 to {RETRY_AFTER_MAX} seconds, or nothing.",
            ),
            *(
                (
                    _is_text(getattr(rule, name), lengths),
                    name,
                    f"It has {lengths.stop - 1} characters at most.",
                )
                for name, lengths in LENGTHS.items()
            ),
        )
        if not is_right
    ]
    if wrong:
        raise ErrorRuleInvalid(wrong[0].message, errors=wrong)


def _is_of_rail(rule: ErrorRule) -> bool:
    """Say whether neither the rule nor the adapter's own table takes the refusal for the payer's, or for one of something paid."""
    provider = registry.providers().get(rule.provider)
    meant = provider.refusals.get(rule.code, rule.code) if provider and rule.flow is Flow.COLLECTION else ""
    is_meant_otherwise = meant in reasons(rule.provider) and meant not in RAIL_FAULTS
    return rule.reason_code in RAIL_FAULTS and not is_meant_otherwise


def _is_text(text: str, lengths: range) -> bool:
    return len(text) in lengths and is_storable(text) and text == text.strip()
