"""Bodies of what is booked: transactions and holds."""

from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.kit import ids
from apps.kit.money import Money
from apps.kit.serializers import (
    MONEY_SCHEMA,
    IdField,
    InstantField,
    LowerField,
    MoneyField,
    StrictSerializer,
)
from apps.ledger.api.serializers import ACCOUNT, HOLD, TRANSACTION, DayField, MomentField
from apps.ledger.contracts import (
    DIMENSION_NAME_MAX,
    DIMENSION_VALUE_MAX,
    DIMENSIONS_MAX,
    LEG_MAX,
    AccountRole,
    Direction,
    HoldState,
    Layer,
    TransactionKind,
)
from apps.ledger.models import Entry, Hold, Transaction
from apps.ledger.services import partner_postings
from apps.ledger.services.journals import BATCH_MAX
from apps.ledger.services.partner_accounts import PARTNER_ROLES, Named
from apps.ledger.services.partner_holds import PartnerHold
from apps.ledger.services.partner_postings import KEY_MAX, LEGS_MAX, PartnerLeg, PartnerPosting

DIRECTIONS = {direction.name.lower(): direction for direction in Direction}
DIMENSIONS_HELP = (
    f"At most {DIMENSIONS_MAX}, with names of at most {DIMENSION_NAME_MAX} and values of at most "
    f"{DIMENSION_VALUE_MAX} characters."
)
TEXT_MAX = 200
REFERENCE_MAX = 64
VISIBLE = RegexValidator(
    r"\A[\x21-\x7e]+\Z", "A key is made of visible ASCII characters.", code="key_invalid"
)
KEY_HELP = "Your own name of this booking, used once for ever. Default: the Idempotency-Key."


class SumField(MoneyField):
    """Money above zero, and no more than an entry holds."""

    default_error_messages = {
        "not_positive": "The sum is above zero.",
        "too_large": "A sum has at most 35 digits, the decimals of its currency included.",
    }

    def to_internal_value(self, data: Any) -> Money:
        money = super().to_internal_value(data)
        if not money.is_positive:
            self.fail("not_positive")
        if money.minor > LEG_MAX:
            self.fail("too_large")
        return money


class DimensionsField(serializers.DictField):
    """Names with their values, which cut reports."""

    child = serializers.CharField(max_length=DIMENSION_VALUE_MAX)
    default_error_messages = {
        "too_many": f"At most {DIMENSIONS_MAX} dimensions.",
        "name": f"A dimension's name has 1 to {DIMENSION_NAME_MAX} characters.",
    }

    def to_internal_value(self, data: Any) -> dict[str, str]:
        found = super().to_internal_value(data)
        if len(found) > DIMENSIONS_MAX:
            self.fail("too_many")
        if not all(1 <= len(name) <= DIMENSION_NAME_MAX and "\0" not in name for name in found):
            self.fail("name")
        return found


class AccountNameIn(StrictSerializer):
    """An account: by ``account_id``, or by ``role``, ``owner_id`` and ``branch_id`` in the currency of the sum."""

    account_id = IdField(ACCOUNT, required=False)
    role = serializers.ChoiceField(
        choices=sorted(role.lower() for role in AccountRole),
        required=False,
        help_text=f"One of {', '.join(sorted(role.lower() for role in PARTNER_ROLES))}.",
    )
    owner_id = IdField("pty", required=False, help_text="The party that the account belongs to.")
    branch_id = IdField("br", required=False, help_text="Default: the branch of the key, or head office.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse what names an account in both ways or in none."""
        by_role = {"role", "owner_id", "branch_id"} & set(attrs)
        if "account_id" in attrs and by_role:
            message = "Name an account by its id or by its role, not by both."
            raise serializers.ValidationError(
                {"account_id": serializers.ErrorDetail(message, code="account_ambiguous")}
            )
        if "account_id" not in attrs and "role" not in attrs:
            message = "Name an account by its id or by its role."
            raise serializers.ValidationError(
                {"account_id": serializers.ErrorDetail(message, code="required")}
            )
        return attrs


def named(said: dict[str, Any], pointer: str, money: Money, sum_pointer: str) -> Named:
    """Return the account that a body names at ``pointer`` for a sum."""
    role = said.get("role")
    return Named(
        pointer=pointer,
        sum_pointer=sum_pointer,
        currency=money.currency,
        account_id=said.get("account_id"),
        role=AccountRole(role.upper()) if role else None,
        owner_id=said.get("owner_id"),
        branch_id=said.get("branch_id"),
    )


class LegIn(AccountNameIn):
    direction = serializers.ChoiceField(choices=sorted(DIRECTIONS))
    amount = SumField()


class TransactionIn(StrictSerializer):
    key = serializers.CharField(max_length=KEY_MAX, validators=[VISIBLE], required=False, help_text=KEY_HELP)
    description = serializers.CharField(max_length=TEXT_MAX)
    effective_date = DayField(
        is_dated=True, required=False, default=None, help_text="Default: today in the book's zone."
    )
    reference = serializers.CharField(
        max_length=REFERENCE_MAX,
        required=False,
        allow_blank=True,
        default="",
        help_text="People search by it.",
    )
    cost_centre = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    dimensions = DimensionsField(required=False, default=None, allow_null=True, help_text=DIMENSIONS_HELP)
    legs = LegIn(many=True, min_length=2, max_length=LEGS_MAX)  # type: ignore[call-arg]  # ListSerializer takes them


class BatchedTransactionIn(TransactionIn):
    key = serializers.CharField(max_length=KEY_MAX, validators=[VISIBLE], help_text="Used once for ever.")


class BatchIn(StrictSerializer):
    transactions = BatchedTransactionIn(many=True, min_length=1, max_length=BATCH_MAX)  # type: ignore[call-arg]  # ListSerializer takes them


def posting(said: dict[str, Any], key: str, pointer: str = "") -> PartnerPosting:
    """Return what a valid body asks to book."""
    legs = [
        PartnerLeg(
            DIRECTIONS[leg["direction"]],
            leg["amount"],
            named(leg, f"{pointer}/legs/{place}", leg["amount"], f"{pointer}/legs/{place}/amount"),
        )
        for place, leg in enumerate(said["legs"])
    ]
    return PartnerPosting(
        key=said.get("key", key),
        description=said["description"],
        legs=tuple(legs),
        pointer=pointer,
        effective_date=said["effective_date"],
        reference=said["reference"],
        cost_centre=said["cost_centre"],
        dimensions=said["dimensions"],
    )


class ReverseIn(StrictSerializer):
    reason = serializers.CharField(max_length=TEXT_MAX)
    effective_date = DayField(
        is_dated=True, required=False, default=None, help_text="Not before the original's. Default: today."
    )


class LegOut(serializers.Serializer):
    account_id = IdField(ACCOUNT, source="account.uid")
    account_code = serializers.CharField(source="account.code")
    account_name = serializers.CharField(source="account.name")
    role = LowerField(source="account.role")
    branch_id = IdField("br", source="account.branch_id")
    direction = serializers.SerializerMethodField()
    amount = serializers.SerializerMethodField(help_text="Below zero only where it takes back what was held.")
    layer = serializers.SerializerMethodField(help_text="posted, or pending for what is held.")

    def get_direction(self, entry: Entry) -> str:
        return Direction(entry.direction).name.lower()

    @extend_schema_field(MONEY_SCHEMA)
    def get_amount(self, entry: Entry) -> dict[str, str]:
        return Money(int(entry.amount), entry.currency).wire()

    def get_layer(self, entry: Entry) -> str:
        return Layer(entry.layer).name.lower()


class TransactionOut(serializers.Serializer):
    """A transaction with all its legs. It is never changed; a reversal takes it back."""

    id = IdField(TRANSACTION, source="uid")
    object = serializers.CharField(read_only=True, default="ledger_transaction")
    number = serializers.CharField(help_text="What people read: LT-0482377.")
    kind = LowerField(help_text=", ".join(kind.lower() for kind in TransactionKind))
    key = serializers.SerializerMethodField(help_text="The key that an application gave; empty for others.")
    description = serializers.CharField()
    reference = serializers.CharField()
    effective_date = serializers.DateField()
    event_at = InstantField(allow_null=True, help_text="The provider's time.")
    posted_at = InstantField()
    created_by = serializers.CharField()
    approved_by = serializers.CharField()
    reason = serializers.CharField(help_text="Why a person or a partner wrote it.")
    cost_centre = serializers.CharField()
    dimensions = serializers.SerializerMethodField()
    reverses_id = serializers.SerializerMethodField(help_text="What it takes back.")
    reversed_by_id = serializers.SerializerMethodField(help_text="What has taken it back.")
    hold_id = serializers.SerializerMethodField(help_text="The hold that it places, or is a step of.")
    legs = LegOut(many=True, source="entries")

    def get_key(self, transaction: Transaction) -> str:
        return partner_postings.own_key(transaction)

    def get_dimensions(self, transaction: Transaction) -> dict[str, str]:
        return transaction.dimensions or {}

    def get_reverses_id(self, transaction: Transaction) -> str | None:
        return _encoded(TRANSACTION, transaction.reverses)

    def get_reversed_by_id(self, transaction: Transaction) -> str | None:
        return _encoded(TRANSACTION, next(iter(transaction.reversed_by.all()), None))

    def get_hold_id(self, transaction: Transaction) -> str | None:
        is_hold = transaction.kind == TransactionKind.HOLD
        return _encoded(HOLD, transaction if is_hold else transaction.hold)


def _encoded(prefix: str, transaction: Transaction | None) -> str | None:
    return None if transaction is None else ids.encode(prefix, transaction.uid)


class BatchOut(serializers.Serializer):
    object = serializers.CharField(read_only=True, default="list")
    data = TransactionOut(many=True)  # type: ignore[assignment]  # the name means something else to REST framework


class ProofOut(serializers.Serializer):
    """The proof of a sealed transaction: what ``tools/verify_proof.py`` checks without us."""

    type = serializers.CharField()
    statement = serializers.CharField(help_text="What was sealed, as one line.")
    tenant = serializers.CharField()
    transaction = serializers.DictField(help_text="The path to the root of the seal's tree.")
    seal = serializers.DictField()
    links = serializers.ListField(child=serializers.DictField())


class HoldIn(StrictSerializer):
    key = serializers.CharField(max_length=KEY_MAX, validators=[VISIBLE], required=False, help_text=KEY_HELP)
    description = serializers.CharField(max_length=TEXT_MAX)
    payer = AccountNameIn(help_text="The account that will be debited.")
    payee = AccountNameIn(help_text="The account that will be credited.")
    amount = SumField()
    reference = serializers.CharField(
        max_length=REFERENCE_MAX,
        required=False,
        allow_blank=True,
        default="",
        help_text="People search by it.",
    )
    expires_at = MomentField(
        required=False, default=None, allow_null=True, help_text="RFC 3339. Default: never."
    )


def hold(said: dict[str, Any], key: str) -> PartnerHold:
    """Return what a valid body asks to hold."""
    money = said["amount"]
    return PartnerHold(
        key=said.get("key", key),
        description=said["description"],
        payer=named(said["payer"], "/payer", money, "/amount"),
        payee=named(said["payee"], "/payee", money, "/amount"),
        money=money,
        expires_at=said["expires_at"],
        reference=said["reference"],
    )


class CaptureIn(StrictSerializer):
    key = serializers.CharField(max_length=KEY_MAX, validators=[VISIBLE], required=False, help_text=KEY_HELP)
    amount = SumField(help_text="A part of what is held, or all of it.")


class ReleaseIn(StrictSerializer):
    reason = serializers.CharField(max_length=TEXT_MAX)


class HoldOut(serializers.Serializer):
    """A sum that one account will pay another: it counts against limits, and is not posted until it is captured."""

    id = IdField(HOLD, source="transaction.uid")
    object = serializers.CharField(read_only=True, default="ledger_hold")
    status = LowerField(source="state", help_text=", ".join(state.lower() for state in HoldState))
    payer_account_id = IdField(ACCOUNT, source="debit_account.uid")
    payee_account_id = IdField(ACCOUNT, source="credit_account.uid")
    amount = serializers.SerializerMethodField()
    captured = serializers.SerializerMethodField()
    released = serializers.SerializerMethodField(help_text="Given back, or expired.")
    remaining = MoneyField(help_text="Still held.")
    description = serializers.CharField(source="transaction.description")
    reference = serializers.CharField(source="transaction.reference")
    key = serializers.SerializerMethodField()
    created_at = InstantField(source="transaction.posted_at")
    expires_at = InstantField(allow_null=True)

    @extend_schema_field(MONEY_SCHEMA)
    def get_amount(self, held: Hold) -> dict[str, str]:
        return Money(int(held.amount), held.currency).wire()

    @extend_schema_field(MONEY_SCHEMA)
    def get_captured(self, held: Hold) -> dict[str, str]:
        return Money(int(held.captured), held.currency).wire()

    @extend_schema_field(MONEY_SCHEMA)
    def get_released(self, held: Hold) -> dict[str, str]:
        return Money(int(held.released), held.currency).wire()

    def get_key(self, held: Hold) -> str:
        return partner_postings.own_key(held.transaction)
