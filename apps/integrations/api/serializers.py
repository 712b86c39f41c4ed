"""Bodies of the provider accounts API: secrets come in and never go out."""

from enum import StrEnum
from typing import Any

from rest_framework import serializers

from apps.integrations import registry
from apps.integrations.contracts import (
    AccountTerms,
    Credentials,
    Environment,
    ErrorRule,
    Flow,
    InboundVersion,
    PullMethod,
    RegistrationStatus,
    ShortCodeType,
    provider_choices,
)
from apps.integrations.models import ProviderAccount
from apps.integrations.models.account import NUMBER_LENGTH
from apps.integrations.models.error_rule import RETRY_AFTER_MAX
from apps.kit.circuits import Position
from apps.kit.money import Money
from apps.kit.serializers import IdField, InstantField, LowerField, MoneyField, StrictSerializer

ACCOUNT, RULE = "pac", "prl"
SECRET_LENGTH = 500
NEEDED = "This field is required."
REASON_LENGTH = 200
KINDS: dict[str, type[StrEnum]] = {
    "environment": Environment,
    "short_code_type": ShortCodeType,
    "pull_method": PullMethod,
    "inbound_version": InboundVersion,
}
"""Fields that are a choice: in lower case on the wire."""


def _choice(kind: type[StrEnum], **facts: Any) -> serializers.ChoiceField:
    return serializers.ChoiceField(choices=[each.lower() for each in kind], **facts)


def _secret(**facts: Any) -> serializers.CharField:
    return serializers.CharField(max_length=SECRET_LENGTH, write_only=True, **facts)


class CredentialsIn(StrictSerializer):
    """All secrets that the account's provider has, together; none of them is ever told again."""

    def get_fields(self) -> dict[str, Any]:
        names = [name for one in registry.providers().values() for name in one.secret_names]
        return {name: _secret(required=False, allow_blank=True) for name in names}


class ProviderAccountChangeIn(StrictSerializer):
    """What may change: what is left out stays as it is. A new address needs the secrets again."""

    label = serializers.CharField(max_length=80, required=False)  # type: ignore[assignment]  # the field's name on the wire
    base_url = serializers.CharField(max_length=200, required=False)
    certificate = serializers.CharField(
        max_length=10_000, required=False, allow_blank=True, help_text="The provider's certificate in PEM."
    )
    fee_bps = serializers.IntegerField(
        min_value=0, max_value=9999, required=False, help_text="The provider's fee in basis points."
    )
    minimum = MoneyField(required=False, help_text="The smallest payment.")
    maximum = MoneyField(required=False, help_text="The largest payment.")
    is_pull_enabled = serializers.BooleanField(required=False)
    pull_number = serializers.CharField(max_length=16, required=False, allow_blank=True)
    pull_method = _choice(PullMethod, required=False)
    inbound_version = _choice(InboundVersion, required=False)
    is_accepted_by_default = serializers.BooleanField(required=False)
    is_balance_watched = serializers.BooleanField(required=False)
    calls_per_second = serializers.IntegerField(min_value=1, max_value=1000, required=False)
    confirm_from = MoneyField(
        required=False,
        allow_null=True,
        help_text="What comes unasked of this sum or more is booked once the provider has confirmed it; null: nothing is asked.",
    )
    credentials = CredentialsIn(required=False, write_only=True)

    def terms_of(self, account: ProviderAccount) -> AccountTerms:
        """Return the terms of an account with these in place of its own."""
        before = {name: getattr(account, name) for name in AccountTerms.__dataclass_fields__}
        before |= {name: kind(before[name]) for name, kind in KINDS.items()}
        return AccountTerms(**{**before, **self.said(account.currency)})

    def said(self, currency: str) -> dict[str, Any]:
        """Return what was sent, in the words of the terms. Raises ValidationError for a limit in another currency."""
        data = {name: value for name, value in self.validated_data.items() if name != "credentials"}
        for name in ("minimum", "maximum", "confirm_from"):
            if name in data:
                sent = data.pop(name)
                data[f"{name}_minor"] = None if sent is None else self._minor(name, sent, currency)
        return data | {
            name: next(each for each in KINDS[name] if each.lower() == data[name])
            for name in KINDS
            if name in data
        }

    @property
    def has_secrets(self) -> bool:
        return "credentials" in self.validated_data

    def secrets(self, provider: str) -> Credentials:
        """Return the new secrets; KeyError where none were sent. Raises ValidationError for one too many or too few."""
        own, sent = registry.providers()[provider], self.validated_data["credentials"]
        wrong = {
            **{
                name: (f"{own.name} has no such secret.", "unknown")
                for name in sent
                if name not in own.secret_names
            },
            **{name: (NEEDED, "required") for name in own.needed_secret_names if not sent.get(name)},
        }
        if wrong:
            told = {name: [serializers.ErrorDetail(*why)] for name, why in wrong.items()}
            raise serializers.ValidationError({"credentials": told})
        return own.credentials(**sent)

    def _minor(self, name: str, money: Money, currency: str) -> int:
        if money.currency != currency:
            raise serializers.ValidationError(
                {
                    name: serializers.ErrorDetail(
                        f"This account is kept in {currency}.", code="currency_mismatch"
                    )
                }
            )
        return money.minor


class ProviderAccountIn(ProviderAccountChangeIn):
    """A new account, enabled at once. What identifies it never changes."""

    provider = serializers.ChoiceField(choices=[slug for slug, _ in provider_choices()])
    branch_id = IdField("br", required=False, help_text="Default: the branch of the key, or head office.")
    environment = _choice(Environment)
    currency = serializers.CharField(max_length=24, default="KES")
    short_code = serializers.CharField(max_length=NUMBER_LENGTH)
    short_code_type = _choice(ShortCodeType, default=ShortCodeType.PAYBILL.lower())
    till_number = serializers.CharField(max_length=7, required=False, allow_blank=True)
    label = serializers.CharField(max_length=80)
    base_url = serializers.CharField(max_length=200)
    minimum = MoneyField(help_text="The smallest payment.")
    maximum = MoneyField(help_text="The largest payment.")
    credentials = CredentialsIn(write_only=True)


class ProviderAccountOut(serializers.Serializer[ProviderAccount]):
    """An account with a provider. Of its secrets only when they were set is told."""

    id = IdField(ACCOUNT)
    object = serializers.ChoiceField(choices=["provider_account"], default="provider_account")
    provider = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the attribute's name on the wire
    branch_id = IdField("br")
    environment = LowerField()
    base_url = serializers.CharField()
    currency = serializers.CharField()
    short_code = serializers.CharField()
    short_code_type = LowerField()
    till_number = serializers.CharField()
    fee_bps = serializers.IntegerField()
    minimum = MoneyField()
    maximum = MoneyField()
    is_enabled = serializers.BooleanField()
    is_pull_enabled = serializers.BooleanField()
    pull_number = serializers.CharField()
    pull_method = LowerField()
    inbound_version = LowerField()
    is_accepted_by_default = serializers.BooleanField()
    is_balance_watched = serializers.BooleanField()
    calls_per_second = serializers.IntegerField(
        help_text="How many calls of one kind leave in a second at most."
    )
    confirm_from = MoneyField(allow_null=True)
    credentials_set_at = InstantField()
    password_set_at = InstantField(
        allow_null=True, help_text="Providers let the initiator's password expire."
    )
    created_at = InstantField()


class ConnectionOut(serializers.Serializer[Any]):
    """What came of signing in at the provider; no money was asked for."""

    is_well = serializers.BooleanField()
    code = serializers.CharField(help_text="Why it does not work; empty where it does.")
    message = serializers.CharField()
    provider_code = serializers.CharField()


class CircuitOut(serializers.Serializer[Any]):
    kind = serializers.CharField(help_text="What the provider is asked.")
    position = _choice(Position)
    failures = serializers.IntegerField(help_text="Of the last ten calls within a minute.")
    since = InstantField(allow_null=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {**super().to_representation(instance), "position": instance.position.lower()}


class CallHealthOut(serializers.Serializer[Any]):
    """How the calls of one kind went in the last 48 hours."""

    kind = serializers.CharField()
    calls = serializers.IntegerField()
    answered = serializers.IntegerField()
    not_sent = serializers.IntegerField()
    no_answer = serializers.IntegerField()
    p95_ms = serializers.IntegerField(help_text="What 95 of 100 took at most.")


class PurseOut(serializers.Serializer[Any]):
    name = serializers.CharField()
    current = MoneyField()
    available = MoneyField()


class HoldingOut(serializers.Serializer[Any]):
    """What the provider says that it holds, beside what the books say."""

    total = MoneyField()
    purses = PurseOut(many=True)
    booked = MoneyField(allow_null=True)
    told_at = InstantField(allow_null=True, help_text="The provider's time.")
    read_at = InstantField()


class RegistrationOut(serializers.Serializer[Any]):
    """What the provider last said of the addresses at which it tells of payments that come unasked."""

    status = LowerField(help_text=", ".join(each.lower() for each in RegistrationStatus))
    at = InstantField()
    message = serializers.CharField()


class StandingOut(serializers.Serializer[Any]):
    """How an account stands: its circuits, its calls, its balance and its addresses."""

    circuits = CircuitOut(many=True)
    calls = CallHealthOut(many=True)
    balance = HoldingOut(allow_null=True)
    registration = RegistrationOut(allow_null=True)


class ReasonIn(StrictSerializer):
    reason = serializers.CharField(
        max_length=REASON_LENGTH, required=False, allow_blank=True, default="", help_text="Why."
    )


class CircuitIn(StrictSerializer):
    kind = serializers.CharField(max_length=32, help_text="What the provider is asked, as `stk_push`.")
    reason = serializers.CharField(max_length=REASON_LENGTH, help_text="Why; it stands on the audit trail.")


class ErrorRuleIn(StrictSerializer):
    """What refusals with a code stand for from now on; it replaces what was said of the same code and words."""

    provider = serializers.ChoiceField(choices=[slug for slug, _ in provider_choices()])
    flow = _choice(Flow)
    code = serializers.CharField(max_length=32)
    contains = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    reason_code = serializers.CharField(max_length=64)
    is_open = serializers.BooleanField(
        required=False, default=False, help_text="True: a request refused so may have been carried out."
    )
    payer_message = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    retry_after_seconds = serializers.IntegerField(
        min_value=1,
        max_value=RETRY_AFTER_MAX,
        required=False,
        allow_null=True,
        default=None,
        help_text="How long to wait before what never left is sent again; null keeps our own plan.",
    )
    may_fall_back = serializers.BooleanField(
        required=False,
        default=False,
        help_text="True: the account is at fault, so another account may ask the payer, once.",
    )

    def rule(self) -> ErrorRule:
        """Return the rule that the body is."""
        data = self.validated_data
        return ErrorRule(**{**data, "flow": Flow(data["flow"].upper())})


class RetireIn(StrictSerializer):
    reason = serializers.CharField(max_length=REASON_LENGTH, help_text="Why; it stands on the audit trail.")


class ErrorRuleOut(serializers.Serializer[Any]):
    id = IdField(RULE)
    object = serializers.ChoiceField(choices=["provider_error_rule"], default="provider_error_rule")
    provider = serializers.CharField()
    flow = LowerField()
    code = serializers.CharField()
    contains = serializers.CharField()
    reason_code = serializers.CharField()
    is_open = serializers.BooleanField()
    payer_message = serializers.CharField()
    retry_after_seconds = serializers.IntegerField(allow_null=True)
    may_fall_back = serializers.BooleanField()
    is_enabled = serializers.BooleanField()
    changed_at = InstantField()
