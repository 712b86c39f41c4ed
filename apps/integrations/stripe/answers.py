"""Reading what Stripe answers: values that are there, or an answer that says nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from apps.integrations.ports import ProviderDeclined, ProviderUncertain
from apps.integrations.stripe import codes
from apps.integrations.stripe.codes import Refusal
from apps.kit import http
from apps.kit.money import Money, MoneyInvalid, exponent

WHOLE = frozenset(
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split()  # noqa: SIM905 (read as words)
)
THOUSANDTHS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
LATEST = 2**40
LONGEST_LINK = 2000
ACCEPTED = range(200, 300)


def of_stripe(answer: http.Answer) -> bytes:
    """
    Return the body of an answer that is an object of Stripe's, or an error of the form that it gives errors; raise what
    any other body stands for, by its status.
    """
    try:
        parsed = http.parse_json(answer.body)
    except (ValueError, RecursionError):
        parsed = None
    is_read = isinstance(parsed, Mapping) and (
        answer.status in ACCEPTED or isinstance(parsed.get("error"), Mapping)
    )
    if not is_read:
        raise Refusal(answer.status, message="the answer is not of Stripe's form").error()
    return answer.body


def refusal(status: int, body: Mapping[str, Any]) -> Refusal:
    """Return what the body of a refusal tells."""
    found = body.get("error")
    told = found if isinstance(found, Mapping) else {}
    return Refusal(
        status,
        kind=text(told.get("type")),
        code=text(told.get("code")),
        decline_code=text(told.get("decline_code")),
        message=text(told.get("message")),
    )


def text(value: object) -> str:
    """Return a text that can be stored; nothing for what is none."""
    return value.replace("\x00", "")[: codes.LONGEST_TEXT] if isinstance(value, str) else ""


def link(value: object) -> str:
    """Return the address of a page whole, for a part of it leads nowhere; nothing for what is none or too long to keep."""
    is_kept = isinstance(value, str) and len(value) <= LONGEST_LINK and "\x00" not in value
    return str(value) if is_kept else ""


def part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return an object within an object; an empty one where it is absent or only named by its id."""
    found = body.get(name)
    return found if isinstance(found, Mapping) else {}


def handle(value: object) -> str:
    """Return the id of what may be an object or its id."""
    return text(value.get("id")) if isinstance(value, Mapping) else text(value)


def money(minor: object, currency: object) -> Money:
    """Return a sum in Stripe's smallest unit as ours; raise ProviderUncertain for what is none."""
    code = text(currency).upper()
    try:
        is_read = isinstance(minor, int) and not isinstance(minor, bool) and _is_same_unit(code)
    except MoneyInvalid:
        is_read = False
    if not is_read:
        raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the answer names no sum that can be read")
    return Money(int(str(minor)), code)


@dataclass(frozen=True, slots=True)
class Moved:
    """
    What a movement did to our balance; None for what is not told or cannot be read: of these nothing is vital.

    ``settled`` and ``rate`` are there where Stripe converted; ``fee`` is in the currency of ``settled`` then.
    """

    fee: Money | None = None
    settled: Money | None = None
    rate: Decimal | None = None


def moved(movement: Mapping[str, Any], money: Money, *, is_out: bool = False) -> Moved:
    """Return what the balance transaction of a sum that came, or went out, says; an empty one says nothing."""
    fee, settled = (_aside(movement.get(name), movement.get("currency")) for name in ("fee", "amount"))
    if fee is not None and fee.minor < 0:
        fee = None
    if text(movement.get("currency")).upper() == money.currency:
        return Moved(fee)
    if settled is not None and is_out:
        settled = -settled
    if settled is None or settled.minor <= 0:
        return Moved()
    return Moved(fee, settled, rate(movement.get("exchange_rate")))


def _aside(minor: object, currency: object) -> Money | None:
    try:
        return money(minor, currency)
    except ProviderUncertain:
        return None


def amount(value: Money) -> dict[str, Any]:
    """Return a sum as Stripe counts it, by amount and currency; raise ProviderDeclined for a currency that it does not know."""
    if not _is_same_unit(value.currency):
        reason = "currency_not_supported"
        raise ProviderDeclined(reason, codes.MESSAGES[reason], provider_code=reason)
    return {"amount": value.minor, "currency": value.currency.lower()}


def _is_same_unit(currency: str) -> bool:
    """Say whether Stripe counts a currency in the unit in which we do; tokens and odd names are none of its."""
    digits = 0 if currency in WHOLE else 3 if currency in THOUSANDTHS else 2
    return len(currency) == 3 and exponent(currency) == digits  # noqa: PLR2004 (the letters of ISO 4217)


def instant(value: object) -> datetime | None:
    """Return a time in seconds as an instant; None for anything else: a date is never vital."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < LATEST:
        return None
    return datetime.fromtimestamp(value, UTC)


def rate(value: object) -> Decimal | None:
    """Return an exchange rate exactly as it was written."""
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() and found > 0 else None
