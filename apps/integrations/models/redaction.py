"""What of an exchange with a provider may be read: secrets are replaced, telephone numbers masked."""

import contextlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from apps.kit import redaction
from apps.kit.redaction import REDACTED

CALLBACK_TOKEN = re.compile(r"(/hooks/[0-9a-f]{32}/)[0-9a-f]{16,64}(?=/)")
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}+(?:@|%40)[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
PERSONS = frozenset(
    {
        *("customer_details", "billing_details", "shipping_details"),
        *("payer", "buyer", "shipping", "given_name", "surname", "full_name", "address"),
    }
)
"""The names under which Stripe, and then PayPal, tells who paid: name and addresses, which nobody needs to see how a call went."""
LONGEST_TEXT = 20_000


def readable(body: bytes, *, secrets: Iterable[str] = ()) -> str:
    """
    Return a body as text that may be kept and shown: indented where it is JSON, cut after 20,000 characters.

    Values of fields with secret names, those that tell who paid, and every literal occurrence of ``secrets`` are replaced;
    telephone numbers keep their last three digits, card numbers and e-mails nothing; the token in a callback address and the
    secret of a pay page are left out.
    """
    text = body.decode("utf-8", errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")
    with contextlib.suppress(ValueError, RecursionError):  # HTML, nothing, half an object: kept as it came
        text = json.dumps(without_secrets(json.loads(text)), indent=2, ensure_ascii=False)
    return masked(text, secrets=secrets)[:LONGEST_TEXT]


def masked(text: str, *, secrets: Iterable[str] = ()) -> str:
    """Return the text without the given secrets, callback tokens, secrets of pay pages and e-mails, and telephone numbers masked."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    text = CALLBACK_TOKEN.sub(rf"\1{REDACTED}", text)
    text = redaction.PAY_PAGE.sub(rf"\1{REDACTED}", text)
    text = EMAIL.sub(REDACTED, text)
    return redaction.numbers(text)


def without_secrets(value: Any) -> Any:
    """Return the value with everything replaced that stands under a secret name, or tells who paid, at any depth."""
    if isinstance(value, Mapping):
        return {
            name: REDACTED if item and _is_hidden(str(name)) else without_secrets(item)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    return value


def _is_hidden(name: str) -> bool:
    return name in PERSONS or redaction.is_secret_name(name)
