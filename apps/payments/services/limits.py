"""The gate that every new payment passes: what the rail itself allows."""

from apps.integrations.contracts import provider_name
from apps.kit import errors
from apps.kit.money import Money, exponent
from apps.payments.contracts import Method

WHOLE_UNIT_METHODS = {Method.MPESA}
POINTER = "/amount"


class AmountRefused(errors.Invalid):
    """The sum cannot be collected this way; the field error says why."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, errors=[errors.FieldError(POINTER, self.code, detail)])


class AmountNotWhole(AmountRefused):
    """The rail moves whole units of the currency only."""

    code = "amount_not_whole"
    title = "Amount not whole"


class AmountTooSmall(AmountRefused):
    """The sum is below what may be collected."""

    code = "amount_too_small"
    title = "Amount too small"


class AmountTooLarge(AmountRefused):
    """The sum is above what may be collected."""

    code = "amount_too_large"
    title = "Amount too large"


def check_positive(*, money: Money) -> None:
    """Raise AmountTooSmall for nothing or less."""
    if not money.is_positive:
        raise AmountTooSmall("Ask for more than zero.")


def check(*, money: Money, method: Method, smallest: Money, largest: Money) -> None:
    """Raise AmountNotWhole, AmountTooSmall or AmountTooLarge for a sum that this rail and account cannot collect."""
    check_positive(money=money)
    if method in WHOLE_UNIT_METHODS and money.minor % 10 ** exponent(money.currency):
        raise AmountNotWhole(f"{provider_name(method)} moves whole amounts only; {money} has a fraction.")
    if money < smallest:
        raise AmountTooSmall(f"The smallest amount is {smallest}.")
    if money > largest:
        raise AmountTooLarge(f"The largest amount is {largest}.")
