"""Bodies of periods, what their close waits for, and what is done to them."""

from rest_framework import serializers

from apps.kit.serializers import IdField, InstantField, StrictSerializer
from apps.ledger.api.serializers import LowerField
from apps.ledger.contracts import PeriodState
from apps.ledger.events import PERIOD_AGGREGATE, PERIOD_PREFIX
from apps.ledger.models import Period
from apps.ledger.services.periods import NOTE_MAX


class PeriodOut(serializers.Serializer):
    """A period of the book, both days included. Nothing can be dated into a closed one."""

    id = IdField(PERIOD_PREFIX, source="uid")
    object = serializers.CharField(read_only=True, default=PERIOD_AGGREGATE)
    start_date = serializers.DateField()
    end_date = serializers.DateField()
    status = LowerField(source="state", help_text=", ".join(state.lower() for state in PeriodState))
    revision = serializers.IntegerField(help_text="Grows when it is opened again.")
    year_end = serializers.BooleanField(source="is_year_end")
    closed_at = InstantField(allow_null=True)
    checkpoint_hash = serializers.SerializerMethodField(help_text="SHA-256 of the balances kept at its end.")

    def get_checkpoint_hash(self, period: Period) -> str | None:
        return bytes(period.checkpoint_hash).hex() if period.checkpoint_hash else None


class PreconditionOut(serializers.Serializer):
    name = serializers.CharField()
    met = serializers.BooleanField(source="is_met")
    sentence = serializers.CharField()
    count = serializers.IntegerField(help_text="How many rows say otherwise.")


class ChecklistOut(serializers.Serializer):
    """What a close of the period waits for, as the books are now."""

    object = serializers.CharField(read_only=True, default="period_checklist")
    period_id = IdField(PERIOD_PREFIX)
    ready = serializers.BooleanField(help_text="Whether all of it is met.")
    data = PreconditionOut(many=True)  # type: ignore[assignment]  # the name means something else to REST framework


class SignOffIn(StrictSerializer):
    kind = serializers.CharField(
        max_length=40, help_text="As reconciliation or revaluation: a name of the checklist."
    )
    signed = serializers.BooleanField(default=True, help_text="False takes it back.")
    note = serializers.CharField(max_length=NOTE_MAX, required=False, allow_blank=True, default="")


class SignOffOut(serializers.Serializer):
    """What was vouched for in a revision of a period; the last one of a kind counts."""

    object = serializers.CharField(read_only=True, default="period_sign_off")
    period_id = IdField(PERIOD_PREFIX, source="period.uid")
    kind = serializers.CharField()
    signed = serializers.BooleanField(source="is_signed")
    note = serializers.CharField()
    revision = serializers.IntegerField()
    signed_by = serializers.CharField()
    signed_at = InstantField()


class CloseIn(StrictSerializer):
    reason = serializers.CharField(max_length=NOTE_MAX, required=False, allow_blank=True, default="")


class ReopenIn(StrictSerializer):
    reason = serializers.CharField(max_length=NOTE_MAX, help_text="Why; at least 5 characters.")
