"""What a provider credited to our balance for money that came, where it told: its own fee, and another currency."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import models

from apps.integrations.ports import CollectionReport
from apps.kit.models import CurrencyField, MinorField
from apps.kit.money import Money, exponent
from apps.payments.contracts import METHODS

CONVERSION_FIELDS = [
    "fee_minor",
    "is_fee_reported",
    "settled_minor",
    "settled_currency",
    "rate",
    "method_brand",
    "method_last4",
]
RATE_DIGITS, RATE_DECIMALS = 30, 15
BRAND_LENGTH = 40


class Conversion(models.Model):
    """
    The part of an attempt that is about what is credited for it.

    Where the provider converts, ``settled`` is what it credited before its fee, ``rate`` how much of that currency is one of
    what was received, and the fee is in the currency settled. ``is_fee_reported`` is false while the fee is that of the
    account's tariff. ``method_brand`` and ``method_last4`` are for people who ask which card it was. ``saved_method`` is charged
    without its payer, who had agreed to that: a trigger in the database asks for it.
    """

    fee_minor = MinorField(null=True)
    is_fee_reported = models.BooleanField(default=False)
    settled_minor = MinorField(null=True)
    settled_currency = CurrencyField(blank=True)
    rate = models.DecimalField(max_digits=RATE_DIGITS, decimal_places=RATE_DECIMALS, null=True)
    saved_method = models.ForeignKey(
        "payments.SavedMethod", null=True, on_delete=models.PROTECT, related_name="+"
    )
    method_brand = models.CharField(max_length=BRAND_LENGTH, blank=True)
    method_last4 = models.CharField(max_length=4, blank=True)

    if TYPE_CHECKING:
        provider: str
        provider_receipt: str
        received_currency: str
        booked_at: datetime | None

        @property
        def received(self) -> Money | None: ...

    class Meta:
        abstract = True

    @property
    def settled(self) -> Money | None:
        """What the provider credited before its fee, in another currency than came; None where it converted nothing."""
        return None if self.settled_minor is None else Money(self.settled_minor, self.settled_currency)

    @property
    def credited(self) -> Money | None:
        """What the provider credited before its fee."""
        return self.settled or self.received

    @property
    def fee(self) -> Money | None:
        """The provider's fee, in the currency credited: its own, or by the tariff of the account until it tells."""
        if self.fee_minor is None:
            return None
        return Money(self.fee_minor, self.settled_currency or self.received_currency)

    @property
    def net(self) -> Money | None:
        """What stays of the money, in the currency credited."""
        credited, fee = self.credited, self.fee
        return None if credited is None or fee is None else credited - fee

    @property
    def card(self) -> str:
        """How people tell the card that paid from others, as ``Visa •••• 4242``; empty where none did or nobody told."""
        dots = "\N{BULLET}" * 4
        return f"{self.method_brand.title()} {dots} {self.method_last4}" if self.method_last4 else ""

    @property
    def is_patient(self) -> bool:
        """Whether the payer takes his time on a page of the provider's: it is asked for as long as the page is open."""
        return METHODS[self.provider].is_on_page

    @property
    def asks_on_page(self) -> bool:
        """Whether its payer is asked on a page of the provider's: without its address he cannot have paid."""
        return self.is_patient and self.saved_method_id is None

    @property
    def is_incomplete(self) -> bool:
        """Whether the money is booked and the provider, which tells its own fee or receipt, has not told it yet."""
        return (
            self.booked_at is not None
            and self.is_patient
            and not (self.is_fee_reported and self.provider_receipt)
        )

    def take_terms(self, report: CollectionReport, *, tariff: Money) -> None:
        """Take over what a report tells of fee, conversion and card; ``tariff`` is the fee where it tells none."""
        if report.settled is not None and report.settled.currency != tariff.currency:
            self.settled_minor, self.settled_currency = report.settled.minor, report.settled.currency
            self.rate = report.rate
        self.is_fee_reported = report.fee is not None
        self.fee_minor = self._in_credited(report.fee or tariff).minor
        self.take_details(report)

    def take_details(self, report: CollectionReport) -> None:
        """Take over which card it was, where the report says so."""
        self.method_brand = report.method_details.get("brand", "")[:BRAND_LENGTH] or self.method_brand
        self.method_last4 = report.method_details.get("last4", "")[-4:] or self.method_last4

    def _in_credited(self, fee: Money) -> Money:
        """Return a fee in the currency credited, half a minor unit to the even one."""
        if not self.settled_currency or fee.currency == self.settled_currency:
            return fee
        if self.rate is None:
            return Money.zero(self.settled_currency)
        shift = exponent(self.settled_currency) - exponent(fee.currency)
        return Money(round(fee.minor * self.rate * Decimal(10) ** shift), self.settled_currency)
