"""Magic e-mail addresses: `anyone+777@example.com` does to a session what M-Pesa's number that ends so does to a prompt."""

import re

from apps.simulator.services.faults import MAGIC_NUMBERS, PAYS, Fields

MARK = re.compile(r"[^@]*\+([0-9]{3})@.+")
DECLINES = {
    "001": "insufficient_funds",
    "017": "card_velocity_exceeded",
    "019": "expired_card",
    "032": "generic_decline",
    "201": "incorrect_cvc",
}


def actions(*, email: str) -> tuple[Fields, ...]:
    """Return what the address stands for; nothing for any other."""
    found = MARK.fullmatch(email)
    if found is None:
        return ()
    if found[1] in DECLINES:
        return (PAYS | {"code": DECLINES[found[1]]},)
    return MAGIC_NUMBERS.get(found[1], ()) if found[1] != "037" else ()
