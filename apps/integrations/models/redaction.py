"""What of an exchange with a provider may be read: secrets are replaced, telephone numbers masked."""

import contextlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from apps.kit import redaction
from apps.kit.redaction import REDACTED

CALLBACK_TOKEN = re.compile(r"(/hooks/[0-9a-f]{32}/)[0-9a-f]{16,64}(?=/)")
LONGEST_TEXT = 20_000


def readable(body: bytes, *, secrets: Iterable[str] = ()) -> str:
    """
    Return a body as text that may be kept and shown: indented where it is JSON, cut after 20,000 characters.

    Values of fields with secret names and every literal occurrence of ``secrets`` are replaced; telephone numbers
    keep their last three digits, card numbers nothing; the token in a callback address is left out.
    """
    text = body.decode("utf-8", errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")
    with contextlib.suppress(ValueError, RecursionError):  # HTML, nothing, half an object: kept as it came
        text = json.dumps(without_secrets(json.loads(text)), indent=2, ensure_ascii=False)
    return masked(text, secrets=secrets)[:LONGEST_TEXT]


def masked(text: str, *, secrets: Iterable[str] = ()) -> str:
    """Return the text without the given secrets, without callback tokens, and with telephone numbers masked."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    text = CALLBACK_TOKEN.sub(rf"\1{REDACTED}", text)
    return redaction.numbers(text)


def without_secrets(value: Any) -> Any:
    """Return the value with everything replaced that stands under a secret name, at any depth."""
    if isinstance(value, Mapping):
        return {
            name: REDACTED if redaction.is_secret_name(str(name)) and item else without_secrets(item)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    return value
