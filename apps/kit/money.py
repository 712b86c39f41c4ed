"""Money: an integer of minor units beside its currency, and the arithmetic that keeps every unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import total_ordering
from typing import Self

from apps.kit.errors import DomainError

MINOR_UNITS_MAX = 10**38 - 1
BASIS_POINTS = 10_000

EXPONENTS = {
    # ISO 4217 list one; tokens carry their chain's name, as USDC.polygon.
    **dict.fromkeys(
        [
            "AED",
            "AUD",
            "BRL",
            "CAD",
            "CHF",
            "CNY",
            "CZK",
            "DKK",
            "EGP",
            "ETB",
            "EUR",
            "GBP",
            "GHS",
            "HKD",
            "INR",
            "KES",
            "MAD",
            "MUR",
            "MWK",
            "NGN",
            "NOK",
            "NZD",
            "PLN",
            "SAR",
            "SEK",
            "SGD",
            "TZS",
            "USD",
            "ZAR",
            "ZMW",
        ],
        2,
    ),
    **dict.fromkeys(["BIF", "DJF", "JPY", "KMF", "KRW", "RWF", "UGX", "VND", "XAF", "XOF"], 0),
    **dict.fromkeys(["BHD", "JOD", "KWD", "OMR", "TND"], 3),
    "BTC": 8,
    "ETH": 18,
    "USDC": 6,
}


class MoneyInvalid(DomainError):
    """The text is not an amount."""

    code = "amount_invalid"
    title = "Amount invalid"
    status = 422
    category = "validation"


class AmountPrecision(MoneyInvalid):
    """The amount has more decimals than its currency."""

    code = "amount_precision"
    title = "Too many decimals"


class CurrencyUnknown(MoneyInvalid):
    """No such currency is known here."""

    code = "currency_unknown"
    title = "Currency unknown"


class CurrencyMismatch(DomainError):
    """Two currencies were added or compared."""

    code = "currency_mismatch"
    title = "Currencies differ"
    status = 422
    category = "validation"


def exponent(currency: str) -> int:
    """Return the number of decimals of a currency (ISO 4217); raise CurrencyUnknown for others."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise CurrencyUnknown(f"{currency!r} is not a currency that is handled here.") from None


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """An exact sum: ``minor`` units (cents for KES) of ``currency``. May be negative; parsing refuses what is not exact."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"minor units are an int, not {type(self.minor).__name__}")
        exponent(self.currency)

    @classmethod
    def zero(cls, currency: str) -> Self:
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """Read ``"10.50"`` exactly. Raise MoneyInvalid, AmountPrecision or CurrencyUnknown; never round."""
        decimals = exponent(currency)
        try:
            amount = Decimal(text)
        except (InvalidOperation, TypeError, ValueError):
            raise MoneyInvalid(f"{text!r} is not an amount; write it as 10.50.") from None
        if not isinstance(text, str) or not text.isascii() or set(text) - set("0123456789.-"):
            raise MoneyInvalid(f"{text!r} is not an amount; write it as 10.50.")
        scaled = amount.scaleb(decimals) if abs(amount.adjusted()) < 60 else amount  # noqa: PLR2004 (far past the maximum)
        if scaled != scaled.to_integral_value():
            raise AmountPrecision(f"{currency} has {decimals} decimals; {text} has more.")
        if abs(scaled) > MINOR_UNITS_MAX:
            raise MoneyInvalid(f"{text} is larger than any amount that is handled here.")
        return cls(int(scaled), currency)

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    @property
    def text(self) -> str:
        """The amount as it goes over the wire: ``"10.50"``, always with the currency's decimals."""
        return f"{self.decimal:.{exponent(self.currency)}f}"

    @property
    def is_positive(self) -> bool:
        return self.minor > 0

    @property
    def is_zero(self) -> bool:
        return self.minor == 0

    def wire(self) -> dict[str, str]:
        return {"amount": self.text, "currency": self.currency}

    def share(self, basis_points: int) -> "Money":
        """Return that many basis points of this sum, half a minor unit rounded away from zero."""
        part = (Decimal(self.minor) * basis_points / BASIS_POINTS).quantize(
            Decimal(1), rounding=ROUND_HALF_UP
        )
        return Money(int(part), self.currency)

    def allocate(self, weights: Sequence[int]) -> list["Money"]:
        """Split by weights so that the parts add up exactly (largest remainder; ties go to the first)."""
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise ValueError("weights are whole, not negative, and not all zero")
        sign, units = (-1, -self.minor) if self.minor < 0 else (1, self.minor)
        parts = [units * weight // total for weight in weights]
        by_remainder = sorted(range(len(weights)), key=lambda i: (-(units * weights[i] % total), i))
        for index in by_remainder[: units - sum(parts)]:
            parts[index] += 1
        return [Money(sign * part, self.currency) for part in parts]

    def __str__(self) -> str:
        return f"{self.currency} {self.decimal:,.{exponent(self.currency)}f}"

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def _same(self, other: "Money") -> int:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} cannot be added or compared.")
        return other.minor
