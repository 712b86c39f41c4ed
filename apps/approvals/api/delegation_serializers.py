"""Bodies of delegations over the API."""

from typing import Any

from rest_framework import serializers

from apps.approvals.contracts import KINDS
from apps.approvals.models.request import REASON_LENGTH
from apps.approvals.selectors import delegations
from apps.approvals.services.delegations import DelegationInvalid
from apps.kit import errors
from apps.kit.serializers import IdField, InstantField, MoneyField, StrictSerializer

KINDS_MAX = 50


class DelegationIn(StrictSerializer):
    """Who is to decide for the person who made the key, when, and what of the key's application."""

    delegate = serializers.EmailField(help_text="A member of the team whose role decides requests.")
    starts_at = InstantField(help_text="Now or later (RFC 3339).")
    ends_at = InstantField(help_text="At most 92 days after it begins.")
    reason = serializers.CharField(max_length=REASON_LENGTH, help_text="At least 5 characters.")
    kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=list(KINDS)),
        max_length=KINDS_MAX,
        required=False,
        default=list,
        help_text="Empty: every kind.",
    )
    maximum = MoneyField(required=False, allow_null=True, default=None, help_text="Null: any sum.")

    def delegation(self) -> dict[str, Any]:
        """Return what a valid body asks for; raise DelegationInvalid for somebody who decides nothing."""
        data = dict(self.validated_data)
        delegate_id = delegations.colleague(data.pop("delegate"))
        if delegate_id is None:
            said = "Choose another member of the team whose role decides requests."
            raise DelegationInvalid(
                said, errors=[errors.FieldError("/delegate", DelegationInvalid.code, said)]
            )
        return {"delegate_id": delegate_id, **data}


class DelegationPersonOut(serializers.Serializer):
    name = serializers.CharField()
    email = serializers.EmailField()


class DelegationOut(serializers.Serializer):
    """One person lets another decide in his name what the key's application asks for."""

    id = IdField("adl")
    object = serializers.CharField(read_only=True, default="approval_delegation")
    delegator = DelegationPersonOut(source="delegator.user", help_text="In whose name.")
    delegate = DelegationPersonOut(source="delegate.user", help_text="Who decides.")
    application_id = IdField("app")
    kinds = serializers.ListField(child=serializers.CharField(), help_text="Empty: every kind.")
    maximum = MoneyField(allow_null=True)
    reason = serializers.CharField()
    starts_at = InstantField()
    ends_at = InstantField()
    created_at = InstantField()
    revoked_at = InstantField(allow_null=True, help_text="When it was taken back.")
