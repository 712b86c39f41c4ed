"""Magic e-mail addresses: `anyone+777@example.com` does to an order what M-Pesa's number that ends so does to a prompt."""

import re

from apps.simulator.services.faults import MAGIC_NUMBERS, PAYS, Fields

MARK = re.compile(r"[^@]*\+([0-9]{3})@.+")
REFUSALS = {
    "001": "INSTRUMENT_DECLINED",
    "017": "TRANSACTION_LIMIT_EXCEEDED",
    "019": "PAYER_CANNOT_PAY",
    "201": "PAYER_ACCOUNT_RESTRICTED",
}
LEFT = "032"


def actions(*, email: str) -> tuple[Fields, ...]:
    """Return what the address stands for; nothing for any other, and for 032, whose person goes away."""
    found = MARK.fullmatch(email)
    if found is None or found[1] in {LEFT, "037"}:
        return ()
    if found[1] in REFUSALS:
        return (PAYS | {"code": REFUSALS[found[1]]},)
    return MAGIC_NUMBERS.get(found[1], ())
