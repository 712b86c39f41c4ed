"""Money: an integer of minor units beside its currency, and the arithmetic that keeps every unit."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import total_ordering
from typing import Self

from apps.kit.errors import DomainError

MINOR_DIGITS_MAX = 38
MINOR_UNITS_MAX = 10**MINOR_DIGITS_MAX - 1
BASIS_POINTS = 10_000
AMOUNT = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")

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
        match = AMOUNT.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise MoneyInvalid(f"{text!r} is not an amount; write it as 10.50.")
        sign, whole, fraction = match[1], match[2], match[3] or ""
        if len(fraction) > decimals:
            raise AmountPrecision(f"{currency} has {decimals} decimals; {text} has more.")
        digits = (whole + fraction.ljust(decimals, "0")).lstrip("0")
        if len(digits) > MINOR_DIGITS_MAX:
            raise MoneyInvalid("That is larger than any amount that is handled here.")
        minor = int(digits or "0")
        return cls(-minor if sign else minor, currency)

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.text)

    @property
    def text(self) -> str:
        """The amount as it goes over the wire: ``"10.50"``, always with the currency's decimals."""
        whole, fraction = self._parts()
        return f"{whole}.{fraction}" if fraction else f"{whole}"

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
        sign, units = (-1, -self.minor) if self.minor < 0 else (1, self.minor)
        return Money(sign * ((2 * units * basis_points + BASIS_POINTS) // (2 * BASIS_POINTS)), self.currency)

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
        """Return the sum for people: ``KES 12,400.00``."""
        whole, fraction = self._parts()
        digits = f"{int(whole.removeprefix('-')):,}"
        sign = "-" if self.minor < 0 else ""
        return f"{self.currency} {sign}{digits}.{fraction}" if fraction else f"{self.currency} {sign}{digits}"

    def _parts(self) -> tuple[str, str]:
        """Split into whole and decimal digits without ever leaving integers."""
        decimals = exponent(self.currency)
        digits = str(abs(self.minor)).rjust(decimals + 1, "0")
        whole = ("-" if self.minor < 0 else "") + digits[: len(digits) - decimals]
        return whole, digits[len(digits) - decimals :]

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


def total(sums: Iterable[Money | None]) -> Money | None:
    """Return the sum of what is known, all of one currency; None where nothing is."""
    known = [one for one in sums if one is not None]
    return sum(known[1:], known[0]) if known else None
