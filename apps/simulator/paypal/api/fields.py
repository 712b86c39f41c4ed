"""The fields of a JSON body: each is read by its kind, and refused in PayPal's words where it is not what it must be."""

import json
import re
from typing import Any

from apps.simulator.paypal.contracts import Body, PayPalRefusal
from apps.simulator.paypal.services import currencies

LONGEST_NOTE = 127
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class Fields:
    """Fields of one level; ``path`` is the JSON pointer of it. Fields that the face does not know are passed over, as PayPal does."""

    def __init__(self, values: dict[str, Any], path: str = "") -> None:
        self.values = values
        self.path = path

    def at(self, name: str) -> str:
        """Return the JSON pointer of a field."""
        return f"{self.path}/{name}"

    def text(self, name: str, *, longest: int = LONGEST_NOTE, is_required: bool = False) -> str:
        """Return a text; an empty one where it is not given."""
        value = self.values.get(name)
        if value is None:
            if is_required:
                raise self.missing(name)
            return ""
        if not isinstance(value, str):
            raise self.wrong(name, "INVALID_PARAMETER_SYNTAX")
        if not 1 <= len(value) <= longest:
            raise self.wrong(name, "INVALID_STRING_LENGTH")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self.values.get(name, default)
        if not isinstance(value, bool):
            raise self.wrong(name, "INVALID_PARAMETER_SYNTAX")
        return value

    def choice(self, name: str, *choices: str, is_required: bool = False) -> str:
        """Return one of the texts; an empty one where it is not given."""
        value = self.text(name, is_required=is_required, longest=255)
        if value and value not in choices:
            raise self.wrong(name, "INVALID_PARAMETER_VALUE")
        return value

    def money(self, name: str, *, is_required: bool = False, may_be_zero: bool = False) -> Body | None:
        """Return an amount, or None where it is not given."""
        if name not in self.values and not is_required:
            return None
        if name not in self.values:
            raise self.missing(name)
        return currencies.check(self.values[name], at=self.at(name), may_be_zero=may_be_zero)

    def address(self, name: str, *, is_required: bool = False) -> str:
        """Return an http or https address; an empty text where it is not given."""
        value = self.text(name, longest=4_000, is_required=is_required)
        if value and not value.startswith(("http://", "https://")):
            raise self.wrong(name, "INVALID_PARAMETER_SYNTAX")
        return value

    def email(self, name: str) -> str:
        """Return an e-mail address; an empty text where it is not given."""
        value = self.text(name, longest=254)
        if value and not EMAIL.fullmatch(value):
            raise self.wrong(name, "INVALID_PARAMETER_SYNTAX")
        return value

    def inner(self, name: str) -> "Fields":
        """Return the fields of an object, none where it is not given."""
        value = self.values.get(name, {})
        if not isinstance(value, dict):
            raise self.wrong(name, "INVALID_PARAMETER_SYNTAX")
        return Fields(value, self.at(name))

    def items(self, name: str, *, most: int, is_required: bool = True) -> list["Fields"]:
        """Return the objects of a list."""
        value = self.values.get(name)
        if value is None and not is_required:
            return []
        if value is None:
            raise self.missing(name)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.wrong(name, "INVALID_PARAMETER_SYNTAX")
        if not 1 <= len(value) <= most:
            raise self.wrong(name, "INVALID_ARRAY_MAX_ITEMS" if value else "INVALID_ARRAY_MIN_ITEMS")
        return [Fields(item, f"{self.at(name)}/{place}") for place, item in enumerate(value)]

    def missing(self, name: str) -> PayPalRefusal:
        """Return the refusal of a field that is not there."""
        words = "A required field or parameter is missing."
        return PayPalRefusal(400, "MISSING_REQUIRED_PARAMETER", words, at=self.at(name))

    def wrong(self, name: str, issue: str) -> PayPalRefusal:
        """Return the refusal of a field that is not what it must be."""
        return PayPalRefusal(400, issue, at=self.at(name), value=str(self.values.get(name, ""))[:200])


def read(body: bytes) -> Fields:
    """Read a body as an object; nothing stands for an empty one."""
    try:
        found = json.loads(body or b"{}")
    except ValueError as broken:
        raise PayPalRefusal(400, "MALFORMED_REQUEST_JSON", "The request JSON is not well formed.") from broken
    if not isinstance(found, dict):
        raise PayPalRefusal(400, "MALFORMED_REQUEST_JSON", "The request JSON is not well formed.")
    return Fields(found)


def flat(body: bytes) -> dict[str, object]:
    """Return the single values of a body by their JSON pointers, and those of the first level by their bare names too."""
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    told = dict(_walk(found, ""))
    return told | {name[1:]: value for name, value in told.items() if "/" not in name[1:]}


def _walk(value: object, path: str) -> list[tuple[str, object]]:
    if isinstance(value, dict):
        return [pair for name, inner in value.items() for pair in _walk(inner, f"{path}/{name}")]
    if isinstance(value, list):
        return [pair for place, inner in enumerate(value) for pair in _walk(inner, f"{path}/{place}")]
    return [(path, value)]
