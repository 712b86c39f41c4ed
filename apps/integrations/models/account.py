"""The accounts that an organisation has with providers."""

from collections.abc import Iterable
from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import F, Q

from apps.integrations.contracts import (
    CALLS_PER_SECOND,
    MPESA,
    Environment,
    InboundVersion,
    PullMethod,
    ShortCodeType,
    provider_choices,
)
from apps.kit.models import CurrencyField, LockingQuerySet, MinorField, UuidModel
from apps.kit.money import BASIS_POINTS, Money

NUMBER_LENGTH = 40
"""Of the longest number of an account: a short code has 7 digits, other providers have words of their own."""


class ProviderAccountQuerySet(LockingQuerySet):
    def of_branches(self, branch_ids: Iterable[UUID] | None) -> Self:
        """Return the accounts of these branches; None stands for all."""
        return self if branch_ids is None else self.filter(branch_id__in=branch_ids)

    def watched(self) -> Self:
        """Return the accounts whose provider is asked from time to time what it holds."""
        return self.filter(is_balance_watched=True)

    def collecting(self, *, provider: str, currency: str) -> Self:
        return self.filter(provider=provider, currency=currency, is_enabled=True)


class ProviderAccount(UuidModel):
    """
    One short code, or whatever number an account has there, with one provider: where it is reached, on which terms, and its secrets, sealed for the organisation.

    Of several enabled accounts of a branch payments choose by their routing rules, else the oldest. ``password_set_at`` is when the initiator's
    present password came, null without one: providers let it expire.
    """

    provider = models.CharField(max_length=16, choices=provider_choices)
    label = models.CharField(max_length=80)
    branch = models.ForeignKey("access.Branch", on_delete=models.PROTECT, related_name="+")
    environment = models.CharField(
        max_length=10, choices=[(item.value, item.value.capitalize()) for item in Environment]
    )
    base_url = models.CharField(max_length=200)
    currency = CurrencyField()
    short_code = models.CharField(max_length=NUMBER_LENGTH)
    short_code_type = models.CharField(
        max_length=7, choices=[(item.value, item.value.capitalize()) for item in ShortCodeType]
    )
    till_number = models.CharField(max_length=7, default="", blank=True)
    sealed_credentials = models.BinaryField()
    credentials_set_at = models.DateTimeField()
    password_set_at = models.DateTimeField(null=True)
    certificate = models.TextField(default="", blank=True)
    callback_token = models.CharField(max_length=64, unique=True)
    fee_bps = models.PositiveSmallIntegerField(default=0)
    minimum_minor = MinorField()
    maximum_minor = MinorField()
    is_pull_enabled = models.BooleanField(default=False)
    pull_number = models.CharField(max_length=16, default="", blank=True)
    pull_method = models.CharField(
        max_length=4,
        choices=[(item.value, item.value) for item in PullMethod],
        default=PullMethod.POST.value,
    )
    inbound_version = models.CharField(
        max_length=2,
        choices=[(item.value, item.value) for item in InboundVersion],
        default=InboundVersion.V2.value,
    )
    is_accepted_by_default = models.BooleanField(default=True)
    is_balance_watched = models.BooleanField(default=False)
    calls_per_second = models.PositiveSmallIntegerField(default=CALLS_PER_SECOND)
    confirm_from_minor = MinorField(null=True, blank=True)
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    objects = ProviderAccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "environment", "short_code", "till_number", "currency"],
                name="integrations_account_short_code_once",
            ),
            models.CheckConstraint(
                condition=Q(provider__regex=r"^[a-z][a-z0-9]{1,15}$"), name="integrations_account_provider"
            ),
            models.CheckConstraint(
                condition=Q(environment__in=[item.value for item in Environment]),
                name="integrations_account_environment",
            ),
            models.CheckConstraint(
                condition=Q(provider=MPESA, short_code__regex=r"^[0-9]{5,7}$")
                | (~Q(provider=MPESA) & Q(short_code__regex=r"^[0-9A-Za-z_]{5,40}$")),
                name="integrations_account_short_code",
            ),
            models.CheckConstraint(
                condition=Q(short_code_type=ShortCodeType.PAYBILL.value, till_number="")
                | Q(short_code_type=ShortCodeType.TILL.value, till_number__regex=r"^[0-9]{5,7}$"),
                name="integrations_account_till",
            ),
            models.CheckConstraint(
                condition=Q(fee_bps__lt=BASIS_POINTS), name="integrations_account_fee_below_all"
            ),
            models.CheckConstraint(
                condition=Q(minimum_minor__gt=0, maximum_minor__gte=F("minimum_minor")),
                name="integrations_account_limits",
            ),
            models.CheckConstraint(
                condition=Q(is_pull_enabled=False) | ~Q(pull_number=""), name="integrations_account_pull"
            ),
            models.CheckConstraint(condition=Q(calls_per_second__gt=0), name="integrations_account_calls"),
            models.CheckConstraint(
                condition=Q(confirm_from_minor__isnull=True) | Q(confirm_from_minor__gt=0),
                name="integrations_account_confirm_from",
            ),
            models.CheckConstraint(
                condition=Q(("callback_token__regex", r"^[0-9a-f]{32,64}$")),
                name="integrations_account_token",
            ),
            models.CheckConstraint(
                condition=~Q(sealed_credentials=b""), name="integrations_account_has_credentials"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} ({self.number})"

    @property
    def number(self) -> str:
        """The number that a payer knows: the till, or the paybill."""
        return self.till_number or self.short_code

    @property
    def minimum(self) -> Money:
        """The smallest payment."""
        return Money(self.minimum_minor, self.currency)

    @property
    def maximum(self) -> Money:
        """The largest payment."""
        return Money(self.maximum_minor, self.currency)

    @property
    def confirm_from(self) -> Money | None:
        """From which sum on money that comes unasked is asked about before it is booked; None for never."""
        return None if self.confirm_from_minor is None else Money(self.confirm_from_minor, self.currency)

    def must_confirm(self, money: Money) -> bool:
        """Say whether the provider is asked about money that comes unasked."""
        return self.confirm_from is not None and money >= self.confirm_from

    @property
    def purpose(self) -> str:
        """What the sealed credentials are bound to: they cannot be opened in another account's row."""
        return f"provider-account:{self.id}"

    def fee(self, money: Money) -> Money:
        """Return what the provider keeps of ``money`` by the tariff, half a cent rounded up; the statement corrects it."""
        return money.share(self.fee_bps)
