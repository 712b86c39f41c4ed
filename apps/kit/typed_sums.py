"""A sum as a person types it."""

import re

from django.utils.translation import gettext as _

from apps.kit import money
from apps.kit.money import AmountPrecision, Money, MoneyInvalid

TYPED = re.compile(
    r"(?P<sign>[-\N{MINUS SIGN}]?)(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?: [0-9]{3})+|[0-9]+)(?P<part>\.[0-9]+)?"
)


def read(text: str, currency: str) -> Money:
    """
    Read a sum as people write it: 1250, 1,250.00 or 1 250.00, with or without the currency before it.

    Commas and blanks stand between thousands only: 1,25 is refused and never taken for 125. A minus before it is read. Raises
    MoneyInvalid in the reader's language, as AmountPrecision and CurrencyUnknown where that is what is wrong.
    """
    decimals = money.exponent(currency)
    found = TYPED.fullmatch(" ".join(text.split()).removeprefix(currency).strip())
    if found is None:
        raise MoneyInvalid(_("Write the amount as 1,250.00."))
    sign = "-" if found["sign"] else ""
    digits = found["whole"].replace(",", "").replace(" ", "") + (found["part"] or "")
    try:
        return Money.parse(sign + digits, currency)
    except AmountPrecision:
        said = _("%(currency)s has %(count)d decimals at most.") % {"currency": currency, "count": decimals}
        raise AmountPrecision(said) from None
