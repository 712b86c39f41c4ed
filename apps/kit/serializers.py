"""Building blocks of request and response bodies: strict objects, money, prefixed identifiers, instants."""

import copy
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.kit import ids, metadata, redaction
from apps.kit.money import Money, MoneyInvalid

CARDS_REFUSED = (
    "A number of 13 to 19 digits that may be that of a card is refused (`card_number`): by chance, that is about one in ten "
    "of those that begin as cards do. A letter right before it lets it pass."
)
"""What the API says of texts in which numbers are common."""
MONEY_SCHEMA = {
    "type": "object",
    "description": "An exact sum. The amount is a decimal string with the decimals of its currency.",
    "required": ["amount", "currency"],
    "properties": {
        "amount": {"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "example": "1500.00"},
        "currency": {"type": "string", "example": "KES"},
    },
    "additionalProperties": False,
}


class StrictSerializer(serializers.Serializer):
    """
    A request body: a field that is not declared is refused by name, and so is the number of a card in any text.

    Cards are typed on their provider's page alone; what came here by mistake is kept nowhere.
    """

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """
        Return fields of its own, as declared. They are told apart by what they are bound to, so a plain one is copied as it is;
        REST framework would make it anew, which takes a tenth of a small request.
        """
        return {
            name: copy.deepcopy(field) if _holds_fields(field) else copy.copy(field)
            for name, field in self._declared_fields.items()
        }

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, Mapping) else []
        if unknown:
            raise serializers.ValidationError(
                {
                    name: serializers.ErrorDetail("This field is not known.", code="unknown_field")
                    for name in unknown
                }
            )
        taken = super().to_internal_value(data)  # before it: a list may be longer than is read
        self._refuse_cards(data)
        return taken

    def _refuse_cards(self, data: Any) -> None:
        """Raise ValidationError for numbers of cards. What was refused before this may repeat one: who keeps it takes it out."""
        told = data if isinstance(data, Mapping) else {}
        with_card = [
            name
            for name, field in self.fields.items()
            if name in told
            and not isinstance(field, serializers.BaseSerializer | MoneyField)
            and not redaction.is_phone_name(name)
            and redaction.holds_card(told[name])
        ]
        if with_card:
            refusal = serializers.ErrorDetail(
                "This holds the number of a card. Cards are typed on their provider's page.", "card_number"
            )
            raise serializers.ValidationError(dict.fromkeys(with_card, refusal))


def _holds_fields(field: Any) -> bool:
    return isinstance(field, serializers.BaseSerializer) or hasattr(field, "child")


@extend_schema_field(MONEY_SCHEMA)
class MoneyField(serializers.Field):
    """``{"amount": "10.50", "currency": "KES"}`` on the wire, Money inside; a JSON number is refused."""

    default_error_messages = {"invalid": 'Write money as {{"amount": "10.50", "currency": "KES"}}.'}

    def to_internal_value(self, data: Any) -> Money:
        if not isinstance(data, Mapping) or set(data) != {"amount", "currency"}:
            self.fail("invalid")
        amount, currency = data["amount"], data["currency"]
        if not isinstance(amount, str) or not isinstance(currency, str):
            self.fail("invalid")
        try:
            return Money.parse(amount, currency)
        except MoneyInvalid as error:
            raise serializers.ValidationError(error.detail, code=error.code) from None

    def to_representation(self, value: Money) -> dict[str, str]:
        return value.wire()


@extend_schema_field(
    {
        "type": "object",
        "description": "What you note for yourself: 50 keys at most of 40 characters, each with a text of 500. "
        + CARDS_REFUSED,
        "additionalProperties": {"type": "string", "maxLength": metadata.VALUE_LENGTH},
        "maxProperties": metadata.KEYS_MAX,
    }
)
class MetadataField(serializers.Field):
    """Texts by key, within the limits of ``kit.metadata``."""

    default_error_messages = {"invalid": "Write metadata as an object of texts."}

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if not isinstance(data, Mapping):
            self.fail("invalid")
        try:
            return metadata.checked(data)
        except metadata.MetadataInvalid as refusal:
            detail = serializers.ErrorDetail(str(refusal), code="metadata_invalid")
            raise serializers.ValidationError({refusal.key: [detail]} if refusal.key else [detail]) from None

    def to_representation(self, value: Mapping[str, str]) -> dict[str, str]:
        return dict(value)


@extend_schema_field(OpenApiTypes.STR)
class IdField(serializers.Field):
    """A prefixed identifier on the wire (``pi_…``), UUID inside."""

    default_error_messages = {"invalid": "This is not an identifier that starts with {prefix}_."}

    def __init__(self, prefix: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.prefix = prefix

    def to_internal_value(self, data: Any) -> UUID:
        try:
            return ids.decode(self.prefix, str(data))
        except ids.InvalidId:
            self.fail("invalid", prefix=self.prefix)

    def to_representation(self, value: UUID) -> str:
        return ids.encode(self.prefix, value)


class LowerField(serializers.CharField):
    """A choice that is UPPER_CASE inside and lower case on the wire."""

    def to_representation(self, value: str) -> str:
        return value.lower()


@extend_schema_field(OpenApiTypes.DATETIME)
class InstantField(serializers.DateTimeField):
    """RFC 3339 in UTC with milliseconds and Z."""

    def to_internal_value(self, value: Any) -> datetime:
        try:
            return super().to_internal_value(value)
        except OverflowError:  # an instant without its zone in the year 1
            self.fail("overflow")

    def to_representation(self, value: datetime) -> str:
        return instant_text(value)


def instant_text(value: datetime) -> str:
    """Return an aware instant as ``2026-11-24T07:41:58.120Z``."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
