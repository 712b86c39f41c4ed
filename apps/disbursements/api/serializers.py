"""Bodies of the disbursements API. What goes out is the snapshot that events carry; the fields here describe it."""

from typing import Any

from rest_framework import serializers

from apps.disbursements import events
from apps.disbursements.contracts import ConnectedStatus, NewConnectedAccount, TransferStatus
from apps.disbursements.models import ConnectedAccount, Transfer
from apps.disbursements.models.connected_account import EMAIL_LENGTH, URL_LENGTH
from apps.disbursements.models.reversal import REASON_LENGTH
from apps.disbursements.models.transfer import REFERENCE_LENGTH
from apps.kit.serializers import IdField, InstantField, MoneyField, StrictSerializer


class ConnectedAccountIn(StrictSerializer):
    party_id = IdField("pty", help_text="The merchant, rider or supplier that is to be paid.")
    provider = serializers.CharField(
        max_length=16, required=False, default="stripe", help_text="Who keeps the account."
    )
    currency = serializers.RegexField(r"^[A-Za-z]{3}$", help_text="In which the party is paid, as USD.")
    country = serializers.RegexField(r"^[A-Za-z]{2}$", help_text="The party's, as KE.")
    email = serializers.EmailField(
        max_length=EMAIL_LENGTH,
        required=False,
        allow_blank=True,
        default="",
        help_text="Saves the party some typing on the provider's pages.",
    )
    return_url = serializers.URLField(
        max_length=URL_LENGTH, help_text="Where the provider's pages send the party at their end."
    )
    refresh_url = serializers.URLField(
        max_length=URL_LENGTH,
        required=False,
        help_text="A page of yours that asks for a new link, for a party whose link has expired; default: `return_url`.",
    )

    def request(self) -> NewConnectedAccount:
        data = self.validated_data
        return NewConnectedAccount(
            provider=data["provider"],
            currency=data["currency"].upper(),
            country=data["country"].upper(),
            email=data["email"],
            return_url=data["return_url"],
            refresh_url=data.get("refresh_url") or data["return_url"],
        )


class DisbursementFailureOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()


class ConnectedAccountOut(serializers.Serializer[Any]):
    """A party's account at a provider, as events carry it under ``data.object``."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=[events.CONNECTED_ACCOUNT])
    status = serializers.ChoiceField(choices=[state.lower() for state in ConnectedStatus])
    party_id = serializers.CharField()
    provider = serializers.CharField()
    provider_account_id = serializers.CharField()
    provider_reference = serializers.CharField(
        help_text="What the provider calls it; empty until it is open."
    )
    country = serializers.CharField()
    currency = serializers.CharField()
    needs = serializers.ListField(
        child=serializers.CharField(), help_text="What the provider still wants to know, in its own words."
    )
    due_by = InstantField(allow_null=True, help_text="Until when it wants to know that.")
    failure = DisbursementFailureOut(allow_null=True)
    branch_id = serializers.CharField()
    application_id = serializers.CharField()
    created_at = InstantField()
    opened_at = InstantField(allow_null=True)
    closed_at = InstantField(allow_null=True)

    def to_representation(self, instance: ConnectedAccount) -> dict[str, Any]:
        return events.account_snapshot(instance)


class LinkActionOut(serializers.Serializer[Any]):
    type = serializers.ChoiceField(choices=["redirect"])
    url = serializers.CharField(help_text="The provider's pages: good for minutes, and once.")
    expires_at = InstantField(allow_null=True)


class ConnectLinkOut(serializers.Serializer[Any]):
    """Where the party tells the provider what it asks."""

    object = serializers.ChoiceField(choices=["connected_account_link"], default="connected_account_link")
    connected_account_id = IdField("ca")
    next_action = LinkActionOut()


class TransferIn(StrictSerializer):
    connected_account_id = IdField("ca", help_text="The account to pay.")
    amount = MoneyField(help_text="No more than is owed to the party in the branch.")
    reference = serializers.CharField(
        max_length=REFERENCE_LENGTH, help_text="Your own, which the party sees too."
    )
    branch_id = IdField(
        "br", required=False, help_text="Where it is owed. Default: the branch of the key, or head office."
    )
    force = serializers.BooleanField(
        required=False,
        default=False,
        help_text="True: pay even where the party was paid the same sum for the same reference within 24 hours.",
    )


class TransferReverseIn(StrictSerializer):
    amount = MoneyField(required=False, help_text="Left out: all that is left of the transfer.")
    reason = serializers.CharField(max_length=REASON_LENGTH, help_text="Why it is taken back.")


class TransferOut(serializers.Serializer[Any]):
    """A transfer to a party, as events carry it under ``data.object``."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=[events.TRANSFER])
    status = serializers.ChoiceField(choices=[state.lower() for state in TransferStatus])
    connected_account_id = serializers.CharField()
    party_id = serializers.CharField()
    amount = MoneyField()
    moved = MoneyField(
        help_text="What the provider moves: the amount, unless people found out afterwards that it was another sum."
    )
    reversed = MoneyField(help_text="What of it has come back.")
    reversing = MoneyField(help_text="What of it is being taken back.")
    reference = serializers.CharField()
    provider = serializers.CharField()
    provider_reference = serializers.CharField(
        help_text="What the provider calls it; empty until it is made."
    )
    approval_id = serializers.CharField(allow_null=True, help_text="The approval that it waited for.")
    failure = DisbursementFailureOut(allow_null=True)
    branch_id = serializers.CharField()
    application_id = serializers.CharField()
    created_at = InstantField()
    succeeded_at = InstantField(allow_null=True)
    closed_at = InstantField(allow_null=True)

    def to_representation(self, instance: Transfer) -> dict[str, Any]:
        return events.snapshot(instance)
