"""Routing rules for tests."""

from typing import Any

from apps.integrations.models import ProviderAccount
from apps.kit.actors import SYSTEM
from apps.payments.contracts import NewRoutingRule, NewRoutingTarget
from apps.payments.models import RoutingRule
from apps.payments.services import routing_rules
from tests.factories import access, payments


def wanted(*accounts: ProviderAccount | tuple[ProviderAccount, int], **terms: Any) -> NewRoutingRule:
    """Return a rule that sends every payment through these accounts; with shares, each as (account, share)."""
    targets = tuple(
        NewRoutingTarget(each[0].id, each[1]) if isinstance(each, tuple) else NewRoutingTarget(each.id)
        for each in accounts
    )
    return NewRoutingRule(**{"name": "Large sums", "position": 10, "targets": targets, **terms})


def rule(*accounts: ProviderAccount | tuple[ProviderAccount, int], **terms: Any) -> RoutingRule:
    access.portal()
    outcome = routing_rules.create(rule=wanted(*accounts, **terms), actor=SYSTEM, now=payments.NOW)
    assert outcome.rule is not None
    return outcome.rule
