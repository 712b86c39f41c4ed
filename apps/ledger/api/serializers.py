"""Bodies of the ledger's accounts, balances and statements."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.kit import clock, ids
from apps.kit.money import Money
from apps.kit.pagination import LIMIT_DEFAULT, LIMIT_MAX
from apps.kit.serializers import (
    MONEY_SCHEMA,
    IdField,
    InstantField,
    LowerField,
    MoneyField,
    StrictSerializer,
)
from apps.ledger.contracts import AHEAD_MAX, FIRST_DAY, AccountRole, AccountStatus, AccountType, OwnerType
from apps.ledger.models import Account
from apps.ledger.selectors import rates
from apps.ledger.selectors.statements import Statement
from apps.ledger.services import partner_accounts

ACCOUNT = "acc"
TRANSACTION = "ltx"
HOLD = "hld"
RATE = rates.PREFIX
KNOWN_AT = "As the books were known at this instant (RFC 3339). Default: by now."


class DayField(serializers.DateField):
    """A day from 1970 on; one that something is dated to lies within ten years."""

    default_error_messages = {"out_of_range": "A day is from {first} to {last}."}

    def __init__(self, *, is_dated: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.is_dated = is_dated

    def to_internal_value(self, value: Any) -> date:
        day = super().to_internal_value(value)
        last = (clock.now() + AHEAD_MAX).date() if self.is_dated else date.max
        if not FIRST_DAY <= day <= last:
            self.fail("out_of_range", first=FIRST_DAY, last=last)
        return day


class MomentField(serializers.DateTimeField):
    """An instant from 1970 on."""

    default_error_messages = {
        "out_of_range": "An instant is of {first} or later, and not at the end of time."
    }

    def to_internal_value(self, value: Any) -> datetime:
        try:
            instant = super().to_internal_value(value)
        except OverflowError:  # an instant without its zone in the year 1
            self.fail("out_of_range", first=FIRST_DAY.year)
        if not FIRST_DAY.year <= instant.year < date.max.year:
            self.fail("out_of_range", first=FIRST_DAY.year)
        return instant


class AccountOut(serializers.Serializer):
    """An account of one branch in one currency. Its balance grows on its normal side: that of a liability by credits."""

    id = IdField(ACCOUNT, source="uid")
    object = serializers.CharField(read_only=True, default="ledger_account")
    code = serializers.CharField(help_text="Its number in the chart of accounts.")
    name = serializers.CharField()
    role = LowerField(help_text=", ".join(role.lower() for role in AccountRole))
    type = LowerField(help_text=", ".join(kind.lower() for kind in AccountType))
    status = LowerField(help_text=", ".join(status.lower() for status in AccountStatus))
    currency = serializers.CharField()
    branch_id = IdField("br")
    owner_type = LowerField(help_text=", ".join(owner.lower() for owner in OwnerType))
    owner_id = serializers.SerializerMethodField(help_text="A party's id, or what the role says, as a UUID.")
    balance = serializers.SerializerMethodField()
    opened_at = InstantField()

    def get_owner_id(self, account: Account) -> str | None:
        return _owner(account.role, account.owner_id)

    @extend_schema_field(MONEY_SCHEMA)
    def get_balance(self, account: Account) -> dict[str, str]:
        return Money(int(account.net) * account.normal, account.currency).wire()


def _owner(role: str, owner_id: UUID | None) -> str | None:
    if owner_id is None:
        return None
    return ids.encode("pty", owner_id) if role in partner_accounts.PARTY_ROLES else str(owner_id)


class BalanceQuery(StrictSerializer):
    as_of = DayField(required=False, help_text="At the end of this day. Default: today.")
    known_at = MomentField(required=False, default=None, help_text=KNOWN_AT)


class BalanceOut(serializers.Serializer):
    """What stood on an account at the end of a day, as known at an instant."""

    object = serializers.CharField(read_only=True, default="ledger_balance")
    account_id = IdField(ACCOUNT)
    as_of = serializers.DateField()
    known_at = InstantField(allow_null=True)
    balance = MoneyField(help_text="On the account's normal side.")
    debits = MoneyField(help_text="All that was debited until then.")
    credits = MoneyField(help_text="All that was credited until then.")
    final = serializers.BooleanField(help_text="The same two times give this answer for ever.")


class RangeQuery(BalanceQuery):
    since = DayField(required=False, help_text="The first day. Default: of the month of as_of.")

    def days(self, today: date) -> tuple[date, date]:
        """Return the first and the last day that are asked for; refuse those that are the wrong way round."""
        as_of = self.validated_data.get("as_of") or today
        since = self.validated_data.get("since") or as_of.replace(day=1)
        if since > as_of:
            message = serializers.ErrorDetail("The first day is after the last one.", code="range_invalid")
            raise serializers.ValidationError({"since": message})
        return since, as_of


class StatementQuery(RangeQuery):
    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=LIMIT_MAX, default=LIMIT_DEFAULT, help_text="Lines a page."
    )
    cursor = serializers.CharField(
        required=False, default="", help_text="next_cursor of the page before, with the same other values."
    )


class StatementLineOut(serializers.Serializer):
    transaction_id = IdField(TRANSACTION, source="transaction_uid")
    number = serializers.CharField(source="transaction_number")
    effective_date = serializers.DateField()
    posted_at = InstantField()
    description = serializers.CharField()
    reference = serializers.CharField()
    debit = MoneyField(allow_null=True)
    credit = MoneyField(allow_null=True)
    balance = MoneyField(help_text="After this line.")


class StatementOut(serializers.Serializer):
    """A page of an account's statement, in the order of dates; every balance is on the account's normal side."""

    object = serializers.CharField(read_only=True, default="ledger_statement")
    account_id = IdField(ACCOUNT, source="account.uid")
    since = serializers.DateField()
    as_of = serializers.DateField()
    known_at = InstantField(allow_null=True)
    opening = MoneyField(help_text="Before the first day.")
    closing = MoneyField(help_text="At the end of the last day.")
    brought_forward = MoneyField(help_text="Before the first line of this page.")
    carried_forward = MoneyField(help_text="After the last line of this page.")
    data = StatementLineOut(many=True, source="lines")  # type: ignore[assignment]  # the name means something else to REST framework
    has_more = serializers.SerializerMethodField()
    next_cursor = serializers.SerializerMethodField()

    def get_has_more(self, statement: Statement) -> bool:
        return bool(statement.next)

    def get_next_cursor(self, statement: Statement) -> str | None:
        return statement.next or None
