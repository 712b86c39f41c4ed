"""Bodies of the payments API. What goes out is the snapshot that events carry; the fields here describe it."""

import re
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from apps.kit.serializers import (
    CARDS_REFUSED,
    IdField,
    InstantField,
    MoneyField,
    StrictSerializer,
)
from apps.payments import events
from apps.payments.contracts import Choice, InboundStatus, IntentStatus, Method, RefundStatus
from apps.payments.models import InboundReceipt, PaymentIntent, Refund
from apps.payments.models.intent import EMAIL_LENGTH
from apps.payments.models.refund import REASON_LENGTH
from apps.payments.services import choices

METHODS = [method.lower() for method in Method]
METADATA_KEYS_MAX = 50
METADATA_KEY = re.compile(r"[\w.:-]{1,40}")


class MetadataField(serializers.DictField):
    """Up to 50 texts of 500 characters under keys of 40 letters, digits, underscores, dots, colons and hyphens."""

    child = serializers.CharField(max_length=500, allow_blank=True, trim_whitespace=False)
    default_error_messages = {
        "too_many": "At most 50 keys.",
        "key": "A key has 1 to 40 letters, digits, underscores, dots, colons or hyphens.",
    }

    def to_internal_value(self, data: Any) -> dict[str, str]:
        found = super().to_internal_value(data)
        if len(found) > METADATA_KEYS_MAX:
            self.fail("too_many")
        if not all(METADATA_KEY.fullmatch(key) for key in found):
            self.fail("key")
        return found


class PayerIn(StrictSerializer):
    phone = serializers.CharField(
        max_length=30,
        required=False,
        allow_blank=True,
        default="",
        help_text="A Kenyan mobile number, as 0712 345 678 or +254712345678. M-Pesa needs it.",
    )
    email = serializers.EmailField(
        max_length=EMAIL_LENGTH,
        required=False,
        allow_blank=True,
        default="",
        help_text="Saves the payer some typing on the page where he pays by card.",
    )
    name = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")


class ChoiceIn(StrictSerializer):
    """How and from whom. M-Pesa asks a phone; a card is asked for on a page, whose address ``next_action`` tells."""

    method = serializers.ChoiceField(choices=METHODS, required=False)
    methods = serializers.ListField(
        child=serializers.ChoiceField(choices=METHODS),
        required=False,
        allow_empty=False,
        max_length=len(METHODS),
        help_text="In place of `method`: all that do, the preferred one first. Those that cannot take this payment are left out; "
        "routing chooses among the others, and may go on to another one after a failure that is known.",
    )
    payer = PayerIn(required=False)
    saved_method_id = IdField(
        "pm",
        required=False,
        help_text="A saved method to charge without its payer, who agreed to that; name its `method` too. Where its bank wants "
        "him all the same, the payment waits for him on a page (`action_required`).",
    )

    def validate_methods(self, methods: list[str]) -> list[str]:
        if len(set(methods)) != len(methods):
            raise serializers.ValidationError("Name a method once.", code="repeated")
        return methods

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "methods" in attrs and "method" in attrs:
            raise serializers.ValidationError({"methods": "Name a method, or several here, not both."})
        if "methods" in attrs and "saved_method_id" in attrs:
            raise serializers.ValidationError(
                {"methods": "A saved method is charged by its own method alone."}
            )
        return attrs

    def choice(self) -> Choice | None:
        """Return the choice that the body makes, or None; raise MethodRequired for a payer without a method."""
        body = self.validated_data
        method, *others = body.get("methods") or [body.get("method")]
        payer, saved_method_id = body.get("payer"), body.get("saved_method_id")
        if method is None and (payer is not None or saved_method_id is not None):
            raise choices.MethodRequired
        if method is None:
            return None
        found: Mapping[str, str] = payer or {}
        phone, name, email = (found.get(each, "") for each in ("phone", "name", "email"))
        rest = tuple(Method(other.upper()) for other in others)
        return Choice(Method(method.upper()), phone, name, email, saved_method_id, rest)


class PayableField(StrictSerializer):
    """What is paid: an order, a bill, a seat."""

    type = serializers.CharField(max_length=40)
    id = serializers.CharField(max_length=64)


class ConfirmIn(ChoiceIn):
    force = serializers.BooleanField(
        required=False,
        default=False,
        help_text="True: ask even where the same payer was asked for the same sum within two minutes.",
    )


class PaymentIntentIn(ConfirmIn):
    amount = MoneyField()
    branch_id = IdField("br", required=False, help_text="Default: the branch of the key, or head office.")
    reference = serializers.CharField(
        max_length=64,
        required=False,
        allow_blank=True,
        default="",
        help_text=f"Your own id of the payment, unique for your application. {CARDS_REFUSED}",
    )
    payable = PayableField(
        required=False,
        help_text="What is paid. It has one payment at a time, and none once it is paid.",
    )
    description = serializers.CharField(
        max_length=200,
        required=False,
        allow_blank=True,
        default="",
        help_text="The payer may see its beginning.",
    )
    metadata = MetadataField(required=False, default=dict, help_text=CARDS_REFUSED)
    confirm = serializers.BooleanField(
        required=False, default=True, help_text="False: the payer is asked only once you confirm."
    )
    capture = serializers.BooleanField(
        required=False,
        default=True,
        help_text="False: what the payer agrees to is held back until you capture it, where the method can.",
    )


class PaymentCaptureIn(StrictSerializer):
    amount = MoneyField(required=False, help_text="What of the authorised sum is taken; left out: all.")


class VerifyIn(StrictSerializer):
    receipt = serializers.CharField(max_length=40, help_text="The receipt number that the payer holds.")


class PayerOut(serializers.Serializer):
    phone = serializers.CharField()
    name = serializers.CharField()
    email = serializers.CharField()


class CardOut(serializers.Serializer):
    brand = serializers.CharField()
    last4 = serializers.CharField()


class PayableOut(serializers.Serializer):
    type = serializers.CharField()
    id = serializers.CharField()


class NextActionOut(serializers.Serializer):
    type = serializers.CharField()
    message = serializers.CharField()
    url = serializers.CharField()


class FailureOut(serializers.Serializer):
    code = serializers.CharField()
    message = serializers.CharField()


class AttemptOut(serializers.Serializer):
    id = serializers.CharField()
    status = serializers.CharField()
    code = serializers.CharField(help_text="What the payer sees as the account.")
    ticket = serializers.CharField(help_text="The provider's handle; empty until it has answered.")


class PartOut(serializers.Serializer):
    attempt_id = serializers.CharField(help_text="Names the part where it is to be given back.")
    received = MoneyField()
    fee = MoneyField()
    refunded = MoneyField(help_text="What of it has gone back.")
    provider_receipt = serializers.CharField()
    booked_at = InstantField()


class PaymentIntentOut(serializers.Serializer):
    """A payment intent, as events carry it under ``data.object``."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=[events.AGGREGATE])
    status = serializers.ChoiceField(choices=[state.lower() for state in IntentStatus])
    amount = MoneyField()
    received = MoneyField(allow_null=True, help_text="What arrived, before the provider's fee.")
    fee = MoneyField(
        allow_null=True,
        help_text="The provider's own fee, or by its tariff until it tells: off what it credited.",
    )
    refunded = MoneyField(allow_null=True, help_text="What of it has gone back.")
    parts = serializers.ListField(
        child=PartOut(),
        help_text="What it was paid by where that were several sums, or will be (`partially_paid`); the sums above are those of all "
        "parts. Empty for a payment by one sum.",
    )
    due = MoneyField(allow_null=True, help_text="What is left to pay, once a part has come; null otherwise.")
    method = serializers.ChoiceField(
        choices=METHODS, allow_null=True, help_text="The one in use, or which paid."
    )
    methods = serializers.ListField(
        child=serializers.ChoiceField(choices=METHODS),
        help_text="By which the payer may be asked, the preferred one first.",
    )
    payer = PayerOut()
    capture = serializers.BooleanField(help_text="False: what the payer agrees to waits to be captured.")
    authorized = MoneyField(allow_null=True, help_text="What the provider holds back, or held.")
    capture_refusal = serializers.CharField(help_text="Why the provider did not take it when told last.")
    credited = MoneyField(
        allow_null=True, help_text="What the provider credited before its fee, where in another currency."
    )
    exchange_rate = serializers.CharField(
        allow_null=True, help_text="How much of the currency credited it gave for one of that received."
    )
    card = CardOut(allow_null=True, help_text="The card that paid, as far as anybody may know.")
    saved_method_id = serializers.CharField(
        allow_null=True, help_text="The saved method that is charged; null once the payer has to act himself."
    )
    branch_id = serializers.CharField()
    application_id = serializers.CharField()
    reference = serializers.CharField()
    paybill_code = serializers.CharField(
        help_text="What the payer may type as the account at the paybill, in place of the prompt."
    )
    payable = PayableOut(allow_null=True)
    description = serializers.CharField()
    metadata = serializers.DictField(child=serializers.CharField())
    provider_receipt = serializers.CharField(help_text="Empty until the provider tells it.")
    late = serializers.BooleanField(help_text="The money came after the payment had failed or was closed.")
    cancel_requested = serializers.BooleanField()
    next_action = NextActionOut(allow_null=True)
    failure = FailureOut(allow_null=True)
    latest_attempt = AttemptOut(allow_null=True)
    created_at = InstantField()
    settled_at = InstantField(allow_null=True)
    expires_at = InstantField(help_text="When an unconfirmed payment closes.")

    def to_representation(self, instance: PaymentIntent) -> dict[str, Any]:
        return events.snapshot(instance)


class PayPageOut(serializers.Serializer[Any]):
    """A pay page: ``url`` holds its secret and is told this once."""

    url = serializers.CharField()
    expires_at = InstantField(source="page.expires_at")


class AssignIn(StrictSerializer):
    payment_id = IdField(
        "pi",
        help_text="The payment that the money is of; it asks for this very sum, or for more where parts are taken.",
    )
    reason = serializers.CharField(max_length=REASON_LENGTH, help_text="Why; it stands on the audit trail.")


class InboundPayerOut(serializers.Serializer):
    text = serializers.CharField(help_text="The number as the provider told it: in clear, masked or hashed.")
    name = serializers.CharField()


class InboundReceiptOut(serializers.Serializer):
    """Money that arrived, as events carry it under ``data.object``."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=[events.INBOUND_AGGREGATE])
    status = serializers.ChoiceField(choices=[state.lower() for state in InboundStatus])
    amount = MoneyField()
    provider = serializers.CharField()
    provider_receipt = serializers.CharField()
    reference = serializers.CharField(help_text="What the payer typed, as it came.")
    payer = InboundPayerOut()
    sources = serializers.ListField(child=serializers.CharField(), help_text="Who told of it.")
    reason = serializers.CharField(
        help_text="Why it waits, or waited; empty where its payment was known at once."
    )
    payment_id = serializers.CharField(
        allow_null=True, help_text="The payment that it pays, or seems to pay a second time."
    )
    branch_id = serializers.CharField()
    application_id = serializers.CharField()
    occurred_at = InstantField(allow_null=True)
    received_at = InstantField()
    resolved_at = InstantField(allow_null=True)

    def to_representation(self, instance: InboundReceipt) -> dict[str, Any]:
        return events.inbound_snapshot(instance)


class RefundIn(StrictSerializer):
    payment_id = IdField("pi", help_text="The payment that goes back.")
    attempt_id = IdField(
        "pa",
        required=False,
        help_text="Which of its `parts` goes back; needed where more than one of them still can.",
    )
    amount = MoneyField(
        required=False,
        help_text="Left out: all that has not gone back. A part of it where the method allows that.",
    )
    reason = serializers.CharField(max_length=REASON_LENGTH, help_text="Why; people who approve read it.")


class RefundVerifyIn(StrictSerializer):
    receipt = serializers.CharField(
        max_length=40,
        required=False,
        allow_blank=True,
        default="",
        help_text="The receipt number of the reversal. Without it the provider is asked by its own handle of the request.",
    )


class RefundOut(serializers.Serializer):
    """A refund, as events carry it under ``data.object``."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=[events.REFUND_AGGREGATE])
    payment_id = serializers.CharField()
    status = serializers.ChoiceField(choices=[state.lower() for state in RefundStatus])
    amount = MoneyField()
    charge = MoneyField(allow_null=True, help_text="What the provider took for it, once it has told.")
    reason = serializers.CharField()
    branch_id = serializers.CharField()
    application_id = serializers.CharField()
    payment_receipt = serializers.CharField(help_text="The receipt of the payment that goes back.")
    provider_receipt = serializers.CharField(
        help_text="The receipt of the refund; empty until the provider tells it."
    )
    approval_id = serializers.CharField(allow_null=True, help_text="The approval that it waited for.")
    failure = FailureOut(allow_null=True)
    created_at = InstantField()
    refunded_at = InstantField(allow_null=True)

    def to_representation(self, instance: Refund) -> dict[str, Any]:
        return events.refund_snapshot(instance)
