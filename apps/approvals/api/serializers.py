"""Bodies of the approvals API. A request goes out as the snapshot that events carry, with what decides it beside it."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.approvals import events
from apps.approvals.contracts import KINDS, ApprovalStatus, CountedBy, NewRule, NewStep, Verdict
from apps.approvals.models import ApprovalRequest, ApprovalRule
from apps.approvals.models.request import REASON_LENGTH
from apps.approvals.selectors import requests, rules, splits
from apps.approvals.services.rules import HOURS_MAX, NEEDED_MAX, PRIORITY_MAX, WAIT_HOURS_MAX
from apps.kit.money import Money
from apps.kit.serializers import IdField, InstantField, MoneyField, StrictSerializer, instant_text

HASH = r"^[0-9a-f]{64}$"
CODE_LENGTH = 50


class ApproveIn(StrictSerializer):
    payload_hash = serializers.RegexField(HASH, help_text="The hash of the payload that the decider saw.")
    note = serializers.CharField(max_length=REASON_LENGTH, required=False, allow_blank=True, default="")


class RefuseIn(StrictSerializer):
    payload_hash = serializers.RegexField(HASH, help_text="The hash of the payload that the decider saw.")
    reason = serializers.CharField(max_length=REASON_LENGTH, help_text="At least 5 characters.")


class WithdrawIn(StrictSerializer):
    reason = serializers.CharField(max_length=REASON_LENGTH, help_text="At least 5 characters.")


class ApprovalSubjectOut(serializers.Serializer):
    id = serializers.UUIDField()
    reference = serializers.CharField(help_text="The public id of what the deed is about.")


class ApprovalProgressOut(serializers.Serializer):
    current = serializers.IntegerField()
    count = serializers.IntegerField()


class ApprovalRequestOut(serializers.Serializer):
    """An approval request, as events carry it under ``data.object``."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=[events.AGGREGATE])
    kind = serializers.CharField()
    status = serializers.ChoiceField(choices=[state.lower() for state in ApprovalStatus])
    subject = ApprovalSubjectOut()
    summary = serializers.CharField()
    amount = MoneyField(allow_null=True)
    payload_hash = serializers.CharField(help_text="SHA-256 of the payload: a decision names it.")
    payload_version = serializers.IntegerField(help_text="Grows with each edit, which voids every decision.")
    step = ApprovalProgressOut()
    reason = serializers.CharField(help_text="Why it was refused or withdrawn.")
    branch_id = serializers.CharField()
    application_id = serializers.CharField()
    created_at = InstantField()
    expires_at = InstantField(help_text="When it lapses unless it is decided.")
    decided_at = InstantField(allow_null=True)

    def to_representation(self, instance: ApprovalRequest) -> dict[str, Any]:
        return events.snapshot(instance)


class RequestedStepOut(serializers.Serializer):
    sequence = serializers.IntegerField()
    roles = serializers.ListField(child=serializers.CharField(), help_text="The group: codes of roles.")
    needed = serializers.IntegerField(help_text="How many different people must approve.")
    further_after_hours = serializers.IntegerField(
        allow_null=True, help_text="After so long at this step other roles decide it too."
    )
    further_roles = serializers.ListField(child=serializers.CharField(), help_text="Those roles.")
    approved = serializers.IntegerField(help_text="How many have approved this version.")


class ApprovalDecisionOut(serializers.Serializer):
    verdict = serializers.ChoiceField(choices=[verdict.lower() for verdict in Verdict])
    step = serializers.IntegerField()
    payload_version = serializers.IntegerField(help_text="On an earlier version it is void.")
    name = serializers.CharField(help_text="Who decided.")
    on_behalf_of = serializers.CharField(help_text="In whose name; empty where it is his own decision.")
    role = serializers.CharField()
    reason = serializers.CharField()
    decided_at = InstantField()


class ApprovalPartOut(serializers.Serializer):
    reference = serializers.CharField()
    amount = MoneyField()
    created_at = InstantField()


class ApprovalRequestDetailOut(ApprovalRequestOut):
    """An approval request with its payload, its steps and every decision."""

    payload = serializers.DictField()
    steps = RequestedStepOut(many=True)
    decisions = ApprovalDecisionOut(many=True)
    parts = ApprovalPartOut(
        many=True, help_text="Other deeds that it is judged together with, by their whole sum."
    )

    def to_representation(self, instance: ApprovalRequest) -> dict[str, Any]:
        approved = requests.approved_by_step(instance)
        return {
            **events.snapshot(instance),
            "payload": requests.present_version(instance).payload,
            "steps": [
                {
                    "sequence": step.sequence,
                    "roles": step.roles,
                    "needed": step.needed,
                    "further_after_hours": step.further_after_hours,
                    "further_roles": step.further_roles,
                    "approved": approved.get(step.sequence, 0),
                }
                for step in requests.steps_of(instance)
            ],
            "decisions": [
                {
                    "verdict": decision.verdict.lower(),
                    "step": decision.step,
                    "payload_version": decision.payload_version,
                    "name": decision.membership.user.name,
                    "on_behalf_of": decision.delegation.delegator.user.name if decision.delegation else "",
                    "role": decision.role,
                    "reason": decision.reason,
                    "decided_at": instant_text(decision.decided_at),
                }
                for decision in requests.decisions_of(instance)
            ],
            "parts": [
                {
                    "reference": deed.subject_reference,
                    "amount": deed.money.wire(),
                    "created_at": instant_text(deed.created_at),
                }
                for deed in splits.parts_of(instance)
            ],
        }


class HoursField(serializers.IntegerField):
    """A number of hours that may be left out."""

    def __init__(self, *, most: int = WAIT_HOURS_MAX, **kwargs: Any) -> None:
        super().__init__(required=False, allow_null=True, default=None, min_value=1, max_value=most, **kwargs)


class ApprovalStepIn(StrictSerializer):
    roles = serializers.ListField(
        child=serializers.CharField(max_length=CODE_LENGTH), allow_empty=False, help_text="Codes of roles."
    )
    needed = serializers.IntegerField(min_value=1, max_value=NEEDED_MAX, required=False, default=1)
    further_after_hours = HoursField(
        help_text="After waiting so long at this step other roles decide it too; null: never."
    )
    further_roles = serializers.ListField(
        child=serializers.CharField(max_length=CODE_LENGTH),
        required=False,
        default=list,
        help_text="Codes of the roles that decide it then.",
    )


class ApprovalRuleIn(StrictSerializer):
    kind = serializers.CharField(max_length=40, help_text=", ".join(KINDS))
    minimum = MoneyField(required=False, allow_null=True, default=None, help_text="From this sum on.")
    maximum = MoneyField(
        required=False, allow_null=True, default=None, help_text="Up to this sum, without it."
    )
    currency = serializers.CharField(
        max_length=24,
        required=False,
        allow_blank=True,
        default="",
        help_text="Empty: that of the sums, or any.",
    )
    branch_id = IdField(
        "br",
        required=False,
        allow_null=True,
        default=None,
        help_text="Default: the branch of the key, or any.",
    )
    priority = serializers.IntegerField(
        min_value=-PRIORITY_MAX,
        max_value=PRIORITY_MAX,
        required=False,
        default=0,
        help_text="The highest wins; then the rule that says most exactly what it is about.",
    )
    window_hours = HoursField(
        most=HOURS_MAX,
        help_text="Deeds within this time that belong together count as one sum; null: none do.",
    )
    window_by = serializers.ChoiceField(
        choices=[by.lower() for by in CountedBy],
        required=False,
        allow_null=True,
        default=None,
        help_text="What they have in common.",
    )
    remind_after_hours = HoursField(
        help_text="After waiting so long at a step it is called to mind once; null: never."
    )
    escalate_after_hours = HoursField(help_text="After so long other roles are told too; null: never.")
    escalate_roles = serializers.ListField(
        child=serializers.CharField(max_length=CODE_LENGTH),
        required=False,
        default=list,
        help_text="Codes of the roles that are told; they do not decide for that.",
    )
    steps = ApprovalStepIn(many=True, allow_empty=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take the currency of the sums, and refuse sums of two currencies."""
        named = {name: attrs[name].currency for name in ("minimum", "maximum") if attrs[name] is not None}
        currency = attrs["currency"] or next(iter(named.values()), "")
        if wrong := [name for name, found in named.items() if found != currency]:
            raise serializers.ValidationError(
                {wrong[0]: serializers.ErrorDetail("The sums have one currency.", code="currency_mismatch")}
            )
        return {**attrs, "currency": currency}

    def rule(self) -> NewRule:
        """Return the rule that the body asks for, without its branch."""
        data = self.validated_data
        return NewRule(
            kind=data["kind"],
            steps=tuple(NewStep(**step) for step in data["steps"]),
            currency=data["currency"],
            minimum_minor=_minor(data["minimum"]),
            maximum_minor=_minor(data["maximum"]),
            priority=data["priority"],
            window_hours=data["window_hours"],
            window_by=CountedBy(data["window_by"].upper()) if data["window_by"] else None,
            remind_after_hours=data["remind_after_hours"],
            escalate_after_hours=data["escalate_after_hours"],
            escalate_roles=tuple(data["escalate_roles"]),
        )


def _minor(money: Money | None) -> int | None:
    return None if money is None else money.minor


class ApprovalStepOut(serializers.Serializer):
    sequence = serializers.IntegerField()
    roles = serializers.ListField(child=serializers.CharField())
    needed = serializers.IntegerField()
    further_after_hours = serializers.IntegerField(allow_null=True)
    further_roles = serializers.ListField(child=serializers.CharField())


class RuleChangeOut(serializers.Serializer):
    """Nothing has changed yet: another person agrees first. ``/approvals/{id}`` tells how it stands."""

    object = serializers.CharField(read_only=True, default="approval_pending")
    approval_id = IdField("apr")


class ApprovalRuleOut(serializers.Serializer):
    """An approval rule; null means any."""

    id = IdField("arl")
    object = serializers.CharField(read_only=True, default="approval_rule")
    kind = serializers.CharField()
    currency = serializers.CharField(help_text="Empty: any.")
    minimum = MoneyField(allow_null=True)
    maximum = MoneyField(allow_null=True)
    branch_id = IdField("br", allow_null=True)
    priority = serializers.IntegerField()
    window_hours = serializers.IntegerField(allow_null=True)
    window_by = serializers.SerializerMethodField()
    remind_after_hours = serializers.IntegerField(allow_null=True)
    escalate_after_hours = serializers.IntegerField(allow_null=True)
    escalate_roles = serializers.ListField(child=serializers.CharField())
    active = serializers.BooleanField(source="is_active")
    steps = serializers.SerializerMethodField()
    created_at = InstantField()
    deactivated_at = InstantField(allow_null=True)

    @extend_schema_field(serializers.ChoiceField(choices=[by.lower() for by in CountedBy], allow_null=True))
    def get_window_by(self, rule: ApprovalRule) -> str | None:
        return rule.window_by.lower() or None

    def get_steps(self, rule: ApprovalRule) -> list[dict[str, Any]]:
        return [dict(ApprovalStepOut(step).data) for step in rules.steps_of(rule)]
