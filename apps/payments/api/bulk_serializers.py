"""Bodies of bulks: many payments that are asked for at once, and what became of each."""

from typing import Any

from rest_framework import serializers

from apps.kit.serializers import CARDS_REFUSED, IdField, InstantField, LowerField, StrictSerializer
from apps.payments.api.serializers import PaymentIntentIn
from apps.payments.services import bulks

BULK = "blk"


class BulkPaymentIn(PaymentIntentIn):
    """One of many payments: it needs a reference, by which its result is recognised."""

    reference = serializers.CharField(
        max_length=64, help_text=f"Your own id of the payment, unique for your application. {CARDS_REFUSED}"
    )


class BulkIn(StrictSerializer):
    payments = BulkPaymentIn(many=True, help_text="Up to 1,000 payments.")


class CountedField(serializers.ListField):
    """The payments of a bulk: counted before any of them is looked at."""

    child = serializers.JSONField()

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list):
            bulks.require_length(len(data))
        found: list[Any] = super().to_internal_value(data)
        return found


class BulkListIn(StrictSerializer):
    """A bulk as it is read: each payment by itself, later, and for numbers of cards too."""

    payments = CountedField()

    def _refuse_cards(self, data: Any) -> None:
        """Pass: the number of a card in one payment stops none of the others."""


class BulkProgressOut(serializers.Serializer):
    total = serializers.IntegerField()
    waiting = serializers.IntegerField()
    created = serializers.IntegerField()
    refused = serializers.IntegerField()
    stopped = serializers.IntegerField(
        help_text="Not come to when the bulk ended; nobody creates them any more."
    )


class BulkOut(serializers.Serializer[Any]):
    """Many payments that were asked for together, and the job that creates them: ``/jobs/{job_id}/cancel`` stops it."""

    id = IdField(BULK, source="job.id")
    object = serializers.ChoiceField(choices=["payment_bulk"], default="payment_bulk")
    job_id = IdField("job", source="job.id")
    status = LowerField(source="job.status")
    progress = BulkProgressOut()
    created_at = InstantField(source="job.created_at")
    finished_at = InstantField(source="job.finished_at", allow_null=True)


class FieldProblemOut(serializers.Serializer):
    pointer = serializers.CharField(help_text="JSON pointer into the payment.")
    code = serializers.CharField()
    message = serializers.CharField()


class ItemProblemOut(serializers.Serializer):
    """Why a payment was refused, as a problem document would say it."""

    code = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    retryable = serializers.BooleanField()
    errors = FieldProblemOut(many=True)  # type: ignore[assignment]  # the member's name in problem documents


class BulkItemOut(serializers.Serializer[Any]):
    """What became of one of many payments."""

    index = serializers.IntegerField(source="position", help_text="Its place among those sent, from 0.")
    reference = serializers.CharField()
    status = LowerField()
    payment_id = IdField("pi", source="intent_id", allow_null=True)
    problem = ItemProblemOut(allow_null=True)
