"""Bodies of the disputes API. What goes out of a dispute is the snapshot that events carry."""

import base64
import binascii
from typing import Any

from rest_framework import serializers

from apps.kit.serializers import IdField, InstantField, LowerField, MoneyField, StrictSerializer
from apps.payments.contracts import DisputeAnswer, DisputeFlag, DisputeStatus, EvidencePurpose
from apps.payments.events import disputes as events
from apps.payments.models import Dispute
from apps.payments.models.answered import REASON_LENGTH
from apps.payments.models.dispute_file import NAME_LENGTH
from apps.payments.services.dispute_evidence import TEXT_MAX

PURPOSES = [purpose.lower() for purpose in EvidencePurpose]


class DisputeOut(serializers.Serializer):
    """A dispute, as events carry it under ``data.object``."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=[events.AGGREGATE])
    payment_id = serializers.CharField(
        allow_null=True, help_text="Null for a payment that nobody here knows."
    )
    status = serializers.ChoiceField(choices=[state.lower() for state in DisputeStatus])
    is_inquiry = serializers.BooleanField(
        help_text="The bank only asks: no money moves, and a refund is possible."
    )
    flag = serializers.ChoiceField(
        choices=[flag.lower() for flag in DisputeFlag],
        allow_null=True,
        help_text="Why a person must look at it.",
    )
    amount = MoneyField(help_text="What is disputed, in the currency of the payment.")
    reason = serializers.CharField(help_text="Why, in our words: fraudulent, not_received, duplicate, …")
    provider = serializers.CharField()
    provider_reason = serializers.CharField()
    provider_dispute = serializers.CharField(help_text="What the provider calls it.")
    payment_receipt = serializers.CharField()
    answer = serializers.ChoiceField(choices=[answer.lower() for answer in DisputeAnswer], allow_null=True)
    answer_refusal = serializers.CharField(
        help_text="Why the provider did not take the last answer, or may not have."
    )
    may_appeal = serializers.BooleanField(
        help_text="It is lost, and the provider takes an appeal: post to `appeal`."
    )
    is_appealing = serializers.BooleanField(
        help_text="An appeal is on its way that the provider has not confirmed; it is lost until then."
    )
    approval_id = serializers.CharField(
        allow_null=True, help_text="The approval that its acceptance waits for."
    )
    withdrawn = MoneyField(allow_null=True, help_text="What left our balance for it, without the fee.")
    reinstated = MoneyField(allow_null=True, help_text="What came back.")
    fee = MoneyField(allow_null=True)
    lost = MoneyField(allow_null=True, help_text="What will not come back.")
    branch_id = serializers.CharField()
    application_id = serializers.CharField()
    opened_at = InstantField(allow_null=True)
    due_by = InstantField(allow_null=True, help_text="When the answer must have come.")
    closed_at = InstantField(allow_null=True)

    def to_representation(self, instance: Dispute) -> dict[str, Any]:
        return events.snapshot(instance)


class DisputeEvidenceIn(StrictSerializer):
    """Texts and dates of the draft; what is left out stays as it is, what is empty is taken out."""

    text = serializers.CharField(required=False, allow_blank=True, max_length=TEXT_MAX, help_text="All else.")
    product = serializers.CharField(required=False, allow_blank=True, max_length=TEXT_MAX)
    customer_name = serializers.CharField(required=False, allow_blank=True, max_length=TEXT_MAX)
    customer_email = serializers.EmailField(required=False, allow_blank=True)
    customer_ip = serializers.IPAddressField(required=False)
    billing_address = serializers.CharField(required=False, allow_blank=True, max_length=TEXT_MAX)
    service_date = serializers.DateField(required=False, allow_null=True)
    shipping_address = serializers.CharField(required=False, allow_blank=True, max_length=TEXT_MAX)
    shipping_date = serializers.DateField(required=False, allow_null=True)
    carrier = serializers.CharField(required=False, allow_blank=True, max_length=TEXT_MAX)
    tracking_number = serializers.CharField(required=False, allow_blank=True, max_length=TEXT_MAX)
    refund_policy = serializers.CharField(required=False, allow_blank=True, max_length=TEXT_MAX)
    refund_refusal = serializers.CharField(required=False, allow_blank=True, max_length=TEXT_MAX)
    duplicate_of = serializers.CharField(
        required=False, allow_blank=True, max_length=120, help_text="The receipt of the other payment."
    )


class PurposeIn(StrictSerializer):
    """What a file proves."""

    purpose = serializers.ChoiceField(choices=PURPOSES)

    def validate_purpose(self, purpose: str) -> EvidencePurpose:
        return EvidencePurpose(purpose.upper())


class DisputeFileIn(PurposeIn):
    """A file in place of the one that proved the same."""

    name = serializers.CharField(max_length=NAME_LENGTH)
    content = serializers.CharField(
        help_text="A PDF, PNG or JPEG in base64. A request has 1 MiB at most; the portal takes files of 2 MB."
    )

    def validate_content(self, text: str) -> bytes:
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise serializers.ValidationError("This is no base64.", code="invalid") from None


class DisputeFileOut(serializers.Serializer):
    id = IdField("dpf")
    object = serializers.ChoiceField(choices=["dispute_file"], default="dispute_file")
    purpose = LowerField()
    name = serializers.CharField()
    media_type = serializers.CharField()
    size = serializers.IntegerField(help_text="In bytes.")
    created_at = InstantField()


class DisputeEvidenceOut(serializers.Serializer):
    """What is drafted, or was submitted."""

    object = serializers.ChoiceField(choices=["dispute_evidence"], default="dispute_evidence")
    texts = serializers.DictField(child=serializers.CharField())
    files = DisputeFileOut(many=True)


class DisputeAcceptIn(StrictSerializer):
    reason = serializers.CharField(
        max_length=REASON_LENGTH, help_text="Why it is given up; people who approve read it."
    )
