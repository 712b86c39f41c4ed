"""Metadata: what an application notes on its rows for itself, as texts by key; we keep it and never read it."""

from collections.abc import Mapping
from typing import Any

KEYS_MAX, KEY_LENGTH, VALUE_LENGTH = 50, 40, 500


class MetadataInvalid(ValueError):
    """The metadata cannot be; ``key`` is the one that it is about, if any."""

    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.key = key


def checked(said: Mapping[Any, Any]) -> dict[str, str]:
    """Return metadata as it is kept; raise MetadataInvalid beyond 50 keys of 1 to 40 characters with 500 at most each."""
    if len(said) > KEYS_MAX:
        raise MetadataInvalid(f"Metadata has {KEYS_MAX} keys at most.")
    for key, value in said.items():
        if not isinstance(key, str) or not 1 <= len(key) <= KEY_LENGTH:
            raise MetadataInvalid(f"A key of metadata has 1 to {KEY_LENGTH} characters.")
        if not isinstance(value, str) or len(value) > VALUE_LENGTH:
            raise MetadataInvalid(f"A value of metadata is a text of {VALUE_LENGTH} characters at most.", key)
        if "\0" in key + value:
            raise MetadataInvalid("Metadata has no NUL character.", key)
    return dict(said)
