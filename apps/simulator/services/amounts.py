"""Shillings and cents: an amount is an integer of cents inside and a decimal text outside."""

from decimal import Decimal, InvalidOperation

CENTS = Decimal("0.01")
LARGEST_CENTS = 10**15


class AmountRefused(Exception):
    """Not a positive amount of at most two decimals."""


def cents(*, value: object) -> int:
    """Read a decimal text or a whole number as cents."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise AmountRefused('An amount is a text such as "1400.00" or a whole number.')
    try:
        amount = Decimal(value)
    except InvalidOperation as error:
        raise AmountRefused(f"{value!r} is not an amount.") from error
    if (
        not amount.is_finite()
        or amount <= 0
        or amount * 100 > LARGEST_CENTS
        or amount != amount.quantize(CENTS)
    ):
        raise AmountRefused("An amount is above zero and has at most two decimals.")
    return int(amount * 100)


def text(*, cents: int) -> str:
    """Write cents as a plain decimal: 150000 becomes 1500.00."""
    return str((Decimal(cents) / 100).quantize(CENTS))


def display(*, cents: int) -> str:
    """Write cents for a person: 150000 becomes KES 1,500.00 with a space that does not break."""
    return f"KES\N{NO-BREAK SPACE}{(Decimal(cents) / 100).quantize(CENTS):,}"


def charge(*, amount_cents: int, basis_points: int) -> int:
    """Return the tariff on an amount, rounded half up to the cent."""
    return (amount_cents * basis_points + 5_000) // 10_000
