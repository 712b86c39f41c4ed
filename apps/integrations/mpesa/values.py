"""Daraja's way of writing values: whole shillings out, decimals in, East Africa Time without a zone, telephone numbers."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation

from apps.integrations.ports import MalformedCallback, Payer, PayerKind, ProviderDeclined
from apps.kit.money import Money

EAST_AFRICA = timezone(timedelta(hours=3), "EAT")
CURRENCY = "KES"
CENTS_PER_SHILLING = 100
LARGEST_AMOUNT = Decimal(10) ** 15
LARGEST_CODE = Decimal(10) ** 9
CENT = Decimal("0.01")
LONGEST_CODE = 32
LONGEST_TEXT = 300
STAMP = "%Y%m%d%H%M%S"
MOBILE = re.compile(r"254[17][0-9]{8}")
LOCAL_MOBILE = re.compile(r"0[17][0-9]{8}")
MASK = re.compile(r"([0-9]{0,9})[*xX\N{BULLET}]+([0-9]{0,9})")
MASK_DIGITS_NEEDED = 2
DIGEST = re.compile(r"[0-9a-f]{64}")
RECEIPT = re.compile(r"[A-Za-z0-9]{6,20}")
NO_RECEIPT = "0000000"


def timestamp(at: datetime) -> str:
    """Return an instant as Daraja's 14 digits, in East Africa Time."""
    return at.astimezone(EAST_AFRICA).strftime(STAMP)


def instant(value: object) -> datetime | None:
    """Read 14 digits or ``06.07.2024 22:48:52``, both East Africa Time; None for anything else: a date is never vital."""
    text = str(value).strip()
    for form in (STAMP, "%d.%m.%Y %H:%M:%S"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=EAST_AFRICA).astimezone(UTC)
        except ValueError:
            continue
    return None


def code(value: object) -> str:
    """Return a result code as text: Daraja sends 0, "0" and "SFC_IC0003". Raise MalformedCallback where there is none."""
    if isinstance(value, Decimal) and -LARGEST_CODE < value < LARGEST_CODE and value == int(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise MalformedCallback("there is no result code")
    found = text(value).strip()
    if not 0 < len(found) <= LONGEST_CODE:
        raise MalformedCallback("the result code is empty or too long")
    return found


def text(value: object) -> str:
    """Return what Daraja says as text that can be stored: no NUL, at most 300 characters; nothing for None."""
    return "" if value is None else str(value).replace("\x00", "")[:LONGEST_TEXT]


def money(value: object) -> Money:
    """Read an amount in shillings, number or text; raise MalformedCallback for what is not an exact positive sum."""
    found = _sum(value)
    if not found.is_positive:
        raise MalformedCallback("the amount is not a positive sum")
    return found


def balance(value: object) -> Money | None:
    """Read a balance in shillings, which may be negative; None for no balance and for anything else."""
    try:
        return _sum(value)
    except MalformedCallback:
        return None


def _sum(value: object) -> Money:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise MalformedCallback("the amount is not a number")
    try:
        shillings = Decimal(str(value).strip())
    except InvalidOperation:
        raise MalformedCallback("the amount is not a number") from None
    if not shillings.is_finite() or not -LARGEST_AMOUNT < shillings < LARGEST_AMOUNT:
        raise MalformedCallback("the amount is not a sum")
    exact = shillings.quantize(CENT)
    if exact != shillings:
        raise MalformedCallback("the amount has more than two decimals")
    return Money(int(exact * CENTS_PER_SHILLING), CURRENCY)


def whole_shillings(sum_of_money: Money) -> str:
    """Return a sum as Daraja takes it; raise ProviderDeclined for what it could only misunderstand."""
    shillings, cents = divmod(sum_of_money.minor, CENTS_PER_SHILLING)
    if sum_of_money.currency != CURRENCY:
        raise ProviderDeclined("currency_not_supported", "M-Pesa takes Kenyan shillings only.")
    if cents or shillings < 1:
        raise ProviderDeclined("invalid_request", "M-Pesa takes whole shillings, at least one.")
    return str(shillings)


def charge(value: object) -> Money | None:
    """Read ``27.00`` or ``Fee For B2C Payment|KES|22.40``; None for no charge and for anything else."""
    try:
        return money(str(value).rpartition("|")[2])
    except MalformedCallback:
        return None


def phone(value: object) -> str:
    """Return a Kenyan mobile number in E.164, or nothing: Daraja may mask or hash it."""
    found = MOBILE.fullmatch(str(value).strip().removeprefix("+"))
    return f"+{found[0]}" if found else ""


def phone_within(text: object) -> str:
    """Return the mobile number at the start of ``254705912645 - JANE DOE``, or nothing."""
    return phone(number_within(text))


def number_within(text: object) -> str:
    """Return what stands for the number in ``2547 ***** 126 - JANE DOE``, as it came."""
    return str(text).partition(" - ")[0].strip()


def payer_within(text: object) -> Payer:
    """Read the number at the start of ``2547 ***** 126 - JANE DOE``, hidden or not."""
    return payer(number_within(text))


def payer(value: object) -> Payer:
    """Read who paid: ``254708374149``, ``2547 ***** 126``, the SHA-256 of the number, or nothing that is known."""
    found = "".join(str(value).split()).removeprefix("+")
    digits = _with_country(found) if LOCAL_MOBILE.fullmatch(found) else found
    if MOBILE.fullmatch(digits):
        return Payer(PayerKind.PLAIN, phone=f"+{digits}")
    mask = MASK.fullmatch(found)
    if mask and len(mask[1]) + len(mask[2]) >= MASK_DIGITS_NEEDED:
        return Payer(PayerKind.MASKED, prefix=_with_country(mask[1]), suffix=mask[2])
    if DIGEST.fullmatch(found.lower()):
        return Payer(PayerKind.HASHED, digest=found.lower())
    return Payer(PayerKind.UNKNOWN)


def _with_country(digits: str) -> str:
    return f"254{digits[1:]}" if digits.startswith("0") else digits


def receipt(value: object) -> str:
    """Return a receipt number, or nothing: an identifier that ends in seven zeros stands for no movement."""
    found = RECEIPT.fullmatch(str(value).strip())
    return found[0] if found and not found[0].endswith(NO_RECEIPT) else ""


def mapping(value: object, name: str) -> Mapping[str, object]:
    """Return the value if it is an object; raise MalformedCallback naming it otherwise."""
    if not isinstance(value, Mapping):
        raise MalformedCallback(f"{name} is missing or no object")
    return value


def parameters(result: Mapping[str, object]) -> list[tuple[str, object]]:
    """Return the parameters of a result in order; the names of container and list are swapped in some answers."""
    for outer, inner in (
        ("ResultParameters", "ResultParameter"),
        ("ResultParameter", "ResultParameters"),
    ):
        container = result.get(outer)
        if isinstance(container, Mapping):
            return pairs(container.get(inner), name="Key")
    return []


def pairs(value: object, *, name: str) -> list[tuple[str, object]]:
    """
    Return (name, value) of a list of ``{name: …, "Value": …}`` in its order, repeated names kept; entries without a
    value are left out. One object stands for a list of one.
    """
    entries: Iterable[object] = value if isinstance(value, list) else [value]
    return [
        (str(entry[name]), entry["Value"])
        for entry in entries
        if isinstance(entry, Mapping) and name in entry and entry.get("Value") not in (None, "")
    ]
