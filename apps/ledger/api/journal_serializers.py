"""Bodies of manual journals."""

from typing import Any

from rest_framework import serializers

from apps.kit.serializers import IdField, StrictSerializer
from apps.ledger.api.booking_serializers import DIMENSIONS_HELP, DIRECTIONS, DimensionsField, SumField
from apps.ledger.api.serializers import ACCOUNT, DayField
from apps.ledger.services.adjustments import (
    COST_CENTRE_MAX,
    DESCRIPTION_MAX,
    REASON_MAX,
    VOUCHER_MAX,
    JournalLine,
    NewJournal,
)
from apps.ledger.services.partner_postings import LEGS_MAX


class JournalLineIn(StrictSerializer):
    account_id = IdField(ACCOUNT, help_text="Any account of the key's branches.")
    direction = serializers.ChoiceField(choices=sorted(DIRECTIONS))
    amount = SumField()


class JournalIn(StrictSerializer):
    """What to book by hand once other people have agreed; the voucher is the number of the paper that it stands on."""

    voucher = serializers.CharField(max_length=VOUCHER_MAX, help_text="Booked once for ever.")
    description = serializers.CharField(max_length=DESCRIPTION_MAX)
    reason = serializers.CharField(max_length=REASON_MAX, help_text="Why; at least 5 characters.")
    effective_date = DayField(is_dated=True)
    cost_centre = serializers.CharField(
        max_length=COST_CENTRE_MAX, required=False, allow_blank=True, default=""
    )
    dimensions = DimensionsField(required=False, default=None, allow_null=True, help_text=DIMENSIONS_HELP)
    lines = JournalLineIn(many=True, min_length=2, max_length=LEGS_MAX)  # type: ignore[call-arg]  # ListSerializer takes them


def journal(said: dict[str, Any]) -> NewJournal:
    """Return what a valid body asks to book."""
    return NewJournal(
        voucher=said["voucher"],
        description=said["description"],
        reason=said["reason"],
        effective_date=said["effective_date"],
        cost_centre=said["cost_centre"],
        dimensions=said["dimensions"],
        lines=[
            JournalLine(line["account_id"], DIRECTIONS[line["direction"]], line["amount"])
            for line in said["lines"]
        ],
    )
