"""Reading what PayPal answers: values that are there, or an answer that says nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from apps.integrations.paypal import codes
from apps.integrations.ports import ProviderDeclined, ProviderUncertain
from apps.kit import http
from apps.kit.money import Money, MoneyInvalid, exponent

CURRENCIES = frozenset(
    "AUD CAD CHF CZK DKK EUR GBP HKD JPY NOK NZD PLN SEK SGD USD".split()  # noqa: SIM905 (read as words)
)
"""Those that PayPal takes from everywhere and we know; it counts each in the unit in which we do."""
LONGEST_LINK = 2000
LONGEST_TIME = 40
TO_THE_PAGE = ("payer-action", "approve")


def body(content: bytes) -> Mapping[str, Any] | None:
    """Return the JSON object of a body; None for HTML, nothing, half an object or another kind of value."""
    try:
        parsed = http.parse_json(content)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, Mapping) else None


def text(value: object) -> str:
    """Return a text that can be stored; nothing for what is none."""
    return value.replace("\x00", "")[: codes.LONGEST_TEXT] if isinstance(value, str) else ""


def part(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return an object within an object; an empty one where it is absent."""
    found = whole.get(name)
    return found if isinstance(found, Mapping) else {}


def rows(whole: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return the objects of a list within an object; none where it is absent."""
    found = whole.get(name)
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []


def first(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return next(iter(rows(whole, name)), {})


def page(whole: Mapping[str, Any]) -> str:
    """Return the address of the page on which the payer agrees, whole; nothing where there is none, or one too long to keep."""
    links = [(each.get("rel"), each.get("href")) for each in rows(whole, "links")]
    told = {rel: href for rel, href in links if isinstance(href, str)}
    found = next((told[rel] for rel in TO_THE_PAGE if rel in told), "")
    return found if len(found) <= LONGEST_LINK and "\x00" not in found else ""


def amount(value: Money) -> dict[str, str]:
    """Return a sum as PayPal writes it; raise ProviderDeclined for a currency that it does not take."""
    if value.currency not in CURRENCIES:
        reason = "currency_not_supported"
        raise ProviderDeclined(reason, codes.MESSAGES[reason], provider_code=reason)
    return {"currency_code": value.currency, "value": value.text}


def money(value: object) -> Money:
    """Return a sum as it came; raise ProviderUncertain for what is none."""
    told = value if isinstance(value, Mapping) else {}
    try:
        return Money.parse(text(told.get("value")), text(told.get("currency_code")))
    except MoneyInvalid as error:
        raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the answer names no sum that can be read") from error


def aside(value: object) -> Money | None:
    """Return a sum that is not vital; None where there is none."""
    try:
        return money(value)
    except ProviderUncertain:
        return None


def instant(value: object) -> datetime | None:
    """Return a time as an instant; None for anything else: a date is never vital."""
    try:
        found = datetime.fromisoformat(text(value)[:LONGEST_TIME])
        return found.astimezone(UTC) if found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True, slots=True)
class Credited:
    """
    What a capture did to our balance; None for what is not told or cannot be read: of these nothing is vital.

    ``settled`` and ``rate`` are there where PayPal converted; ``fee`` is in the currency of ``settled`` then, and ``settled``
    is what was credited before it: PayPal tells what was credited after it.
    """

    fee: Money | None = None
    settled: Money | None = None
    rate: Decimal | None = None


def credited(breakdown: Mapping[str, Any]) -> Credited:
    """Return what the breakdown of a capture says; an empty one says nothing."""
    fee, receivable = (aside(breakdown.get(name)) for name in ("paypal_fee", "receivable_amount"))
    if fee is not None and fee.minor < 0:
        fee = None
    converted = rate(part(breakdown, "exchange_rate").get("value"))
    if receivable is None or (fee is not None and receivable.currency == fee.currency):
        return Credited(fee)
    charged = aside(breakdown.get("paypal_fee_in_receivable_currency")) or _converted(
        fee, converted, receivable.currency
    )
    if charged is None or charged.currency != receivable.currency or receivable.minor <= 0:
        return Credited()
    return Credited(charged, receivable + charged, converted)


def _converted(fee: Money | None, at: Decimal | None, currency: str) -> Money | None:
    """Return a fee in the currency credited, half a minor unit to the even one."""
    if fee is None or at is None:
        return None
    shift = Decimal(10) ** (exponent(currency) - exponent(fee.currency))
    return Money(round(fee.minor * at * shift), currency)


def rate(value: object) -> Decimal | None:
    """Return an exchange rate exactly as it was written."""
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() and found > 0 else None
