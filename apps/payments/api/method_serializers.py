"""Bodies of the API of saved methods. What goes out is the snapshot that events carry; the fields here describe it."""

from typing import Any

from rest_framework import serializers

from apps.kit.serializers import IdField, InstantField, StrictSerializer
from apps.payments import events
from apps.payments.api.serializers import METHODS, FailureOut
from apps.payments.contracts import Method
from apps.payments.contracts.saving import Consent, ConsentUse, NewSavedMethod, SavedMethodStatus
from apps.payments.models import SavedMethod
from apps.payments.models.intent import EMAIL_LENGTH
from apps.payments.models.saved_method import CONSENT_LENGTH, REFERENCE_LENGTH, URL_LENGTH

USES = [use.lower() for use in ConsentUse]


class SavingPayerIn(StrictSerializer):
    reference = serializers.CharField(
        max_length=REFERENCE_LENGTH,
        help_text="Your own id of the payer: what he saves is kept together by it.",
    )
    name = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    email = serializers.EmailField(
        max_length=EMAIL_LENGTH,
        required=False,
        allow_blank=True,
        default="",
        help_text="Saves the payer some typing on the provider's page.",
    )


class ConsentIn(StrictSerializer):
    """What the payer agreed to with you, before he is sent to the provider. It is kept as you tell it, for good."""

    text = serializers.CharField(max_length=CONSENT_LENGTH, help_text="The words that he agreed to.")
    use = serializers.ChoiceField(
        choices=USES,
        help_text="`off_session`: it may be charged without him. `on_session`: only while he is there.",
    )
    given_at = InstantField(help_text="When he agreed.")
    ip_address = serializers.IPAddressField(
        required=False, allow_null=True, default=None, help_text="From where."
    )


class SavedMethodIn(StrictSerializer):
    method = serializers.ChoiceField(choices=METHODS)
    currency = serializers.CharField(max_length=3, min_length=3, help_text="Of the payments to come, as USD.")
    payer = SavingPayerIn()
    consent = ConsentIn()
    return_url = serializers.URLField(
        max_length=URL_LENGTH, help_text="Where the provider's page sends the payer when he has agreed."
    )
    cancel_url = serializers.URLField(
        max_length=URL_LENGTH,
        required=False,
        help_text="Where it sends him who turns back; default: `return_url`.",
    )
    branch_id = IdField("br", required=False, help_text="Default: the branch of the key, or head office.")

    def request(self, **placed: Any) -> NewSavedMethod:
        """Return what the body asks for, for the branch and the application that the caller names."""
        data = self.validated_data
        payer, consent = data["payer"], data["consent"]
        return NewSavedMethod(
            method=Method(data["method"].upper()),
            currency=data["currency"].upper(),
            payer_reference=payer["reference"],
            payer_name=payer["name"],
            payer_email=payer["email"],
            consent=Consent(
                text=consent["text"],
                use=ConsentUse(consent["use"].upper()),
                given_at=consent["given_at"],
                address=consent["ip_address"] or "",
            ),
            return_url=data["return_url"],
            cancel_url=data.get("cancel_url") or data["return_url"],
            **placed,
        )


class SavingPayerOut(serializers.Serializer[Any]):
    reference = serializers.CharField()
    name = serializers.CharField()


class ConsentOut(serializers.Serializer[Any]):
    text = serializers.CharField()
    use = serializers.ChoiceField(choices=USES)
    given_at = InstantField()
    ip_address = serializers.CharField(allow_null=True)


class SavedCardOut(serializers.Serializer[Any]):
    brand = serializers.CharField()
    last4 = serializers.CharField()
    expires = serializers.CharField(help_text="Year and month, as 2030-08.")
    fingerprint = serializers.CharField(help_text="The same for the same card, however often it is saved.")


class SavedWalletOut(serializers.Serializer[Any]):
    brand = serializers.CharField(help_text="Whose wallet it is, as paypal.")
    fingerprint = serializers.CharField(help_text="The same for the same wallet, however often it is saved.")


class SavingActionOut(serializers.Serializer[Any]):
    type = serializers.ChoiceField(choices=["redirect"])
    url = serializers.CharField(help_text="The provider's page, on which the payer agrees.")


class SavedMethodOut(serializers.Serializer[Any]):
    """A way to pay that a payer lets you keep, as events carry it under ``data.object``. It never holds the number of a card."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=[events.methods.AGGREGATE])
    status = serializers.ChoiceField(choices=[state.lower() for state in SavedMethodStatus])
    method = serializers.ChoiceField(choices=METHODS)
    currency = serializers.CharField()
    payer = SavingPayerOut()
    consent = ConsentOut()
    card = SavedCardOut(allow_null=True)
    wallet = SavedWalletOut(allow_null=True)
    branch_id = serializers.CharField()
    application_id = serializers.CharField()
    next_action = SavingActionOut(allow_null=True)
    failure = FailureOut(allow_null=True)
    forget_requested = serializers.BooleanField()
    created_at = InstantField()
    saved_at = InstantField(allow_null=True)
    forgotten_at = InstantField(allow_null=True)

    def to_representation(self, instance: SavedMethod) -> dict[str, Any]:
        return events.methods.snapshot(instance)
