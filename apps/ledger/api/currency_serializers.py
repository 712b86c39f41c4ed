"""Bodies of exchange rates and exchanges."""

import re
from decimal import Decimal
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.kit.money import EXPONENTS, Money
from apps.kit.serializers import IdField, InstantField, StrictSerializer
from apps.ledger.api.booking_serializers import (
    KEY_HELP,
    REFERENCE_MAX,
    VISIBLE,
    AccountNameIn,
    SumField,
    named,
)
from apps.ledger.api.serializers import RATE, MomentField
from apps.ledger.models import FxRate
from apps.ledger.services.partner_exchanges import PartnerExchange
from apps.ledger.services.partner_postings import KEY_MAX
from apps.ledger.services.rates import SOURCE_MAX

WRITTEN = re.compile(r"[0-9]{1,13}(\.[0-9]{1,18})?")
CURRENCIES = sorted(EXPONENTS)
APPROVAL = "apr"


@extend_schema_field(OpenApiTypes.STR)
class RateField(serializers.Field):
    """A decimal as text; a JSON number is refused."""

    default_error_messages = {"invalid": 'Write a rate as text: "129.4567", with 18 decimals at most.'}

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, str) or not WRITTEN.fullmatch(data):
            self.fail("invalid")
        return Decimal(data)

    def to_representation(self, value: Decimal) -> str:
        return f"{value:f}"


class RateOut(serializers.Serializer):
    """What one unit of ``base`` was worth in ``quote``, as a source said at an instant."""

    id = IdField(RATE)
    object = serializers.CharField(read_only=True, default="fx_rate")
    base = serializers.CharField()
    quote = serializers.CharField()
    rate = serializers.SerializerMethodField(help_text="An exact decimal.")
    source = serializers.CharField()  # type: ignore[assignment]  # the name means something else to REST framework
    as_of = InstantField()
    created_at = InstantField()

    def get_rate(self, rate: FxRate) -> str:
        return f"{rate.rate.normalize():f}"


class RateIn(StrictSerializer):
    """What somebody says that one unit of ``base`` is worth in ``quote``."""

    base = serializers.ChoiceField(choices=CURRENCIES, help_text="As USD.")
    quote = serializers.ChoiceField(choices=CURRENCIES, help_text="As KES.")
    rate = RateField(help_text='As "129.4567".')
    as_of = MomentField(help_text="When it held (RFC 3339); not in the future.")
    source = serializers.CharField(  # type: ignore[assignment]  # the name means something else to REST framework
        max_length=SOURCE_MAX, help_text="Who says so; not one that the treasury asks itself."
    )
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class LatestRateQuery(StrictSerializer):
    base = serializers.ChoiceField(choices=CURRENCIES, help_text="The currency to give, as USD.")
    quote = serializers.ChoiceField(choices=CURRENCIES, help_text="The currency to get, as KES.")
    at = MomentField(required=False, default=None, help_text="RFC 3339. Default: now.")


class LatestRateOut(serializers.Serializer):
    """The rate that holds at an instant: straight, turned round, or across the functional currency."""

    object = serializers.CharField(read_only=True, default="fx_rate_latest")
    base = serializers.CharField()
    quote = serializers.CharField()
    rate = serializers.CharField(source="text", help_text="12 significant digits.")
    source = serializers.CharField(help_text="Whose, and which way.")  # type: ignore[assignment]  # the name means something else to REST framework
    as_of = InstantField()


class AskedOut(serializers.Serializer):
    """Nothing is done yet: other people agree first. ``/approvals/{id}`` tells how it stands."""

    object = serializers.CharField(read_only=True, default="approval_pending")
    approval_id = IdField(APPROVAL)


class ExchangeIn(StrictSerializer):
    """Give ``give`` out of one account and take what it is worth, less the fee, into another one in ``get_currency``."""

    key = serializers.CharField(max_length=KEY_MAX, validators=[VISIBLE], required=False, help_text=KEY_HELP)
    give = SumField()
    get_currency = serializers.ChoiceField(choices=CURRENCIES, help_text="As KES.")
    source = AccountNameIn(help_text="In the currency of what is given.")  # type: ignore[assignment]  # the name means something else to REST framework
    target = AccountNameIn(help_text="In get_currency, of the same branch.")
    fee = SumField(required=False, default=None, allow_null=True, help_text="In get_currency.")
    fee_account = AccountNameIn(required=False, default=None, allow_null=True, help_text="With a fee.")
    reference = serializers.CharField(max_length=REFERENCE_MAX, required=False, allow_blank=True, default="")


def exchange(said: dict[str, Any], key: str) -> PartnerExchange:
    """Return what a valid body asks to exchange."""
    got = Money.zero(said["get_currency"])
    fee_account = said["fee_account"]
    return PartnerExchange(
        key=said.get("key", key),
        give=said["give"],
        source=named(said["source"], "/source", said["give"], "/give"),
        target=named(said["target"], "/target", got, "/get_currency"),
        fee=said["fee"],
        fee_account=named(fee_account, "/fee_account", got, "/get_currency") if fee_account else None,
        reference=said["reference"],
    )
