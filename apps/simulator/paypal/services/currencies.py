"""Currencies as PayPal counts them: texts with two decimals, or none for three of them."""

import re
from decimal import ROUND_HALF_UP, Decimal

from apps.simulator.paypal.contracts import Account, Body, PayPalRefusal

WHOLE = frozenset(["HUF", "JPY", "TWD"])
OTHERS = frozenset(
    "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD ILS MXN MYR NOK NZD PHP PLN SEK SGD THB USD".split()  # noqa: SIM905
)
KNOWN = WHOLE | OTHERS
AMOUNT = re.compile(r"(-?[0-9]+)|(-?([0-9]+)?[.][0-9]+)")
LONGEST = 32
LARGEST = 10**11
UNPROCESSABLE = 422


def digits(currency: str) -> int:
    """Return how many decimals the currency has."""
    return 0 if currency in WHOLE else 2


def text(amount: int, currency: str) -> str:
    """Write an amount as a plain decimal text."""
    return f"{Decimal(amount).scaleb(-digits(currency)):.{digits(currency)}f}"


def money(amount: int, currency: str) -> Body:
    """Write an amount as PayPal does."""
    return {"currency_code": currency, "value": text(amount, currency)}


def minor(money: Body) -> int:
    """Return the amount of money that the face itself wrote, or has checked, in the smallest unit."""
    return int(Decimal(money["value"]).scaleb(digits(money["currency_code"])))


def check(given: object, *, at: str, may_be_zero: bool = False) -> Body:
    """Return an amount that a caller gave, or refuse it in PayPal's words; ``at`` is the JSON pointer of it."""
    if not isinstance(given, dict) or "currency_code" not in given or "value" not in given:
        missing = "value" if isinstance(given, dict) and "currency_code" in given else "currency_code"
        raise PayPalRefusal(
            400, "MISSING_REQUIRED_PARAMETER", "A required field is missing.", at=f"{at}/{missing}"
        )
    currency, value = given["currency_code"], given["value"]
    if not isinstance(value, str) or len(value) > LONGEST or not AMOUNT.fullmatch(value):
        raise PayPalRefusal(400, "INVALID_PARAMETER_SYNTAX", at=f"{at}/value", value=str(value))
    if not isinstance(currency, str) or not re.fullmatch(r"[A-Z]{3}", currency):
        raise PayPalRefusal(
            UNPROCESSABLE, "INVALID_CURRENCY_CODE", at=f"{at}/currency_code", value=str(currency)
        )
    if currency not in KNOWN:
        words = "Currency code is not currently supported."
        raise PayPalRefusal(
            UNPROCESSABLE, "CURRENCY_NOT_SUPPORTED", words, at=f"{at}/currency_code", value=currency
        )
    issue = _issue(Decimal(value), currency, may_be_zero=may_be_zero)
    if issue:
        raise PayPalRefusal(UNPROCESSABLE, issue, at=f"{at}/value", value=value)
    return money(int(Decimal(value).scaleb(digits(currency))), currency)


def settled(amount: int, currency: str, *, account: Account) -> tuple[int, str]:
    """Return what an amount becomes in the account's currency, and by which rate; none where it is not converted."""
    if currency == account.currency:
        return amount, ""
    rate = account.rates.get(currency, "1")
    exact = Decimal(amount).scaleb(digits(account.currency) - digits(currency)) * Decimal(rate)
    return int(exact.to_integral_value(ROUND_HALF_UP)), rate


def _issue(amount: Decimal, currency: str, *, may_be_zero: bool) -> str:
    if amount < 0 or (amount == 0 and not may_be_zero):
        return "CANNOT_BE_NEGATIVE" if may_be_zero else "CANNOT_BE_ZERO_OR_NEGATIVE"
    if amount >= LARGEST:
        return "MAX_VALUE_EXCEEDED"
    if amount != amount.quantize(Decimal(1).scaleb(-digits(currency))):
        return "DECIMAL_PRECISION" if digits(currency) else "DECIMALS_NOT_SUPPORTED"
    return ""
