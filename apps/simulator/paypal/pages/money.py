"""Sums as a person reads them."""

from apps.simulator.paypal.services import currencies


def money(amount: int, currency: str) -> str:
    """Write a sum with its currency, with a space that does not break."""
    return f"{currency}\N{NO-BREAK SPACE}{grouped(amount, currency)}"


def grouped(amount: int, currency: str) -> str:
    """Write a sum, its thousands apart."""
    whole, _, fraction = currencies.text(abs(amount), currency).partition(".")
    sign = "\N{MINUS SIGN}" if amount < 0 else ""
    return f"{sign}{int(whole):,}{f'.{fraction}' if fraction else ''}"
