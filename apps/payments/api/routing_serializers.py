"""Bodies of the routing API: rules, and why an attempt went through its account."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.kit.serializers import IdField, InstantField, LowerField, MoneyField, StrictSerializer
from apps.payments.contracts import (
    AttemptStatus,
    DropReason,
    Method,
    NewRoutingRule,
    NewRoutingTarget,
    RoutingStrategy,
)
from apps.payments.models import PaymentAttempt, RoutingRule
from apps.payments.models.routing import NAME_LENGTH
from apps.payments.selectors import routing as stored
from apps.payments.services.routing_checks import POSITIONS, WEIGHTS

ACCOUNT, ATTEMPT = "pac", "pa"
REASON_LENGTH = 200
METHODS = [method.lower() for method in Method]
TIMES = ["%H:%M"]


class RoutingTargetIn(StrictSerializer):
    account_id = IdField(ACCOUNT)
    weight = serializers.IntegerField(
        min_value=WEIGHTS[0],
        max_value=WEIGHTS[-1],
        required=False,
        allow_null=True,
        default=None,
        help_text="Its share of the payments, where the rule splits them.",
    )


class RoutingRuleIn(StrictSerializer):
    """Which payments go through which accounts; what is left out fits every payment."""

    name = serializers.CharField(max_length=NAME_LENGTH)
    position = serializers.IntegerField(
        min_value=POSITIONS[0],
        max_value=POSITIONS[-1],
        help_text="Rules are asked in this order, those of a branch before the organisation's; the first that fits decides.",
    )
    strategy = serializers.ChoiceField(
        choices=[each.lower() for each in RoutingStrategy],
        default="priority",
        help_text="`priority`: the first account that can take it; `split`: each for its share.",
    )
    targets = RoutingTargetIn(many=True, allow_empty=False)
    branch_id = IdField(
        "br",
        required=False,
        allow_null=True,
        default=None,
        help_text="Default: the branch of the key, or any.",
    )
    application_id = IdField("app", required=False, allow_null=True, default=None)
    method = serializers.ChoiceField(choices=METHODS, required=False, allow_null=True, default=None)
    currency = serializers.CharField(
        max_length=24,
        required=False,
        allow_blank=True,
        default="",
        help_text="Empty: that of the sums, or any.",
    )
    minimum = MoneyField(required=False, allow_null=True, default=None, help_text="From this sum on.")
    maximum = MoneyField(
        required=False, allow_null=True, default=None, help_text="Up to this sum, without it."
    )
    weekdays = serializers.CharField(
        max_length=7,
        required=False,
        allow_blank=True,
        default="",
        help_text="Digits, 1 for Monday to 7 for Sunday, as `12345`.",
    )
    from_time = serializers.TimeField(
        required=False,
        allow_null=True,
        default=None,
        input_formats=TIMES,
        help_text="As `22:00`, in the organisation's zone.",
    )
    to_time = serializers.TimeField(
        required=False,
        allow_null=True,
        default=None,
        input_formats=TIMES,
        help_text="Without it; over midnight where it is the earlier one.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take the currency of the sums, and refuse sums of two currencies."""
        named = {name: attrs[name].currency for name in ("minimum", "maximum") if attrs[name] is not None}
        currency = attrs["currency"] or next(iter(named.values()), "")
        if wrong := [name for name, found in named.items() if found != currency]:
            raise serializers.ValidationError(
                {wrong[0]: serializers.ErrorDetail("The sums have one currency.", code="currency_mismatch")}
            )
        return {**attrs, "currency": currency}


def rule_of(data: Mapping[str, Any], *, branch_id: UUID | None) -> NewRoutingRule:
    """Return the rule that the data of a valid body ask for, in a branch or in all."""
    said = dict(data)
    least, most, method = said.pop("minimum"), said.pop("maximum"), said.pop("method")
    return NewRoutingRule(
        **{
            **said,
            "targets": tuple(NewRoutingTarget(**each) for each in said["targets"]),
            "strategy": RoutingStrategy(said["strategy"].upper()),
            "branch_id": branch_id,
            "method": Method(method.upper()) if method else None,
            "minimum_minor": least.minor if least else None,
            "maximum_minor": most.minor if most else None,
        }
    )


class RetireRoutingIn(StrictSerializer):
    reason = serializers.CharField(max_length=REASON_LENGTH, help_text="Why; it stands on the audit trail.")


class DryRunIn(StrictSerializer):
    """A rule to try; without one, the rules in use are tried as they are."""

    rule = RoutingRuleIn(required=False, allow_null=True, default=None)
    instead_of = IdField(
        stored.PREFIX,
        required=False,
        allow_null=True,
        default=None,
        help_text="The rule in use that it stands for; without a rule, the one that is left out.",
    )


class DryRunOut(serializers.Serializer[Any]):
    """``/jobs/{job_id}`` tells how far it is, how many payments go elsewhere and for how much, and has the list of them."""

    object = serializers.ChoiceField(choices=["routing_dry_run"], default="routing_dry_run")
    job_id = IdField("job", source="id")
    status = LowerField()


class RoutingTargetOut(serializers.Serializer[Any]):
    account_id = IdField(ACCOUNT)
    weight = serializers.IntegerField(allow_null=True)


class RoutingRuleOut(serializers.Serializer[Any]):
    """A version of a routing rule; null and empty mean any."""

    id = IdField(stored.PREFIX)
    object = serializers.ChoiceField(choices=["routing_rule"], default="routing_rule")
    name = serializers.CharField()
    version = serializers.IntegerField()
    replaces_id = IdField(stored.PREFIX, allow_null=True, help_text="The version before it.")
    position = serializers.IntegerField()
    strategy = LowerField()
    targets = RoutingTargetOut(many=True)
    branch_id = IdField("br", allow_null=True)
    application_id = IdField("app", source="for_application_id", allow_null=True)
    method = serializers.SerializerMethodField()
    currency = serializers.CharField()
    minimum = MoneyField(allow_null=True)
    maximum = MoneyField(allow_null=True)
    weekdays = serializers.CharField()
    from_time = serializers.TimeField(allow_null=True, format="%H:%M")
    to_time = serializers.TimeField(allow_null=True, format="%H:%M")
    active = serializers.BooleanField(source="is_active")
    created_at = InstantField()
    retired_at = InstantField(allow_null=True)

    @extend_schema_field(serializers.ChoiceField(choices=METHODS, allow_null=True))
    def get_method(self, rule: RoutingRule) -> str | None:
        return rule.method.lower() or None


class RoutingChangeOut(serializers.Serializer[Any]):
    """Nothing has changed yet: other people agree first. ``/approvals/{id}`` tells how it stands."""

    object = serializers.CharField(read_only=True, default="approval_pending")
    approval_id = IdField("apr")


class DroppedOut(serializers.Serializer[Any]):
    account_id = serializers.CharField()
    reason = serializers.ChoiceField(choices=[each.lower() for each in DropReason])


class RoutingOut(serializers.Serializer[Any]):
    """Why the attempt went through its account."""

    rule_id = IdField(stored.PREFIX, allow_null=True, help_text="Null: no rule chose it.")
    fallback = serializers.BooleanField(
        source="is_fallback", help_text="Another account had failed, and this one took over by itself."
    )
    candidates = serializers.SerializerMethodField(
        help_text="Accounts that could take it, the chosen one first."
    )
    dropped = serializers.SerializerMethodField(help_text="Accounts that could not, and why.")

    def get_candidates(self, row: Any) -> list[str]:
        return [_account(text) for text in row.candidates]

    @extend_schema_field(DroppedOut(many=True))
    def get_dropped(self, row: Any) -> list[dict[str, str]]:
        return [
            {"account_id": _account(text), "reason": reason.lower()} for text, reason in row.dropped.items()
        ]


class AttemptLineOut(serializers.Serializer[Any]):
    """One request to one account of a provider."""

    id = IdField(ATTEMPT)
    object = serializers.ChoiceField(choices=["payment_attempt"], default="payment_attempt")
    number = serializers.IntegerField(help_text="Counts from 1.")
    status = serializers.ChoiceField(choices=[state.lower() for state in AttemptStatus])
    account_id = IdField(ACCOUNT, source="provider_account_id")
    code = serializers.CharField(help_text="What the payer sees as the account.")
    failure_code = serializers.CharField()
    routing = RoutingOut(allow_null=True, help_text="Null: the money came unasked.")
    created_at = InstantField()

    def to_representation(self, instance: PaymentAttempt) -> dict[str, Any]:
        decision = stored.of_attempt(instance)
        row = {
            name: getattr(instance, name)
            for name in ("id", "number", "provider_account_id", "code", "failure_code", "created_at")
        }
        told: dict[str, Any] = super().to_representation(
            {**row, "status": instance.status.lower(), "object": "payment_attempt", "routing": decision}
        )
        return told


def _account(text: str) -> str:
    return IdField(ACCOUNT).to_representation(UUID(text))
