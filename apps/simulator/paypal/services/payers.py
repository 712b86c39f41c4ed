"""Persons with a PayPal wallet: each is known by an e-mail address, and has an id that never changes."""

import hashlib
import string

from apps.simulator.paypal.contracts import Body

EMAIL = "amina@example.com"
ALPHABET = string.digits + string.ascii_uppercase


def payer(email: str) -> Body:
    """Return a person as PayPal tells of them."""
    given = email.partition("@")[0].partition("+")[0].capitalize()
    return {
        "name": {"given_name": given or "Payer", "surname": "Otieno"},
        "email_address": email,
        "payer_id": identifier(email),
        "address": {"country_code": "US"},
    }


def source(email: str) -> Body:
    """Return the wallet of a person as the source of a payment."""
    person = payer(email)
    return {
        "email_address": email,
        "account_id": person["payer_id"],
        "account_status": "VERIFIED",
        "name": person["name"],
        "address": person["address"],
    }


def identifier(email: str) -> str:
    """Return the payer id of a person: thirteen capitals and digits."""
    rest, drawn = int.from_bytes(hashlib.sha256(email.encode()).digest()), ""
    for _ in range(13):
        rest, index = divmod(rest, len(ALPHABET))
        drawn += ALPHABET[index]
    return drawn
