"""The parameters of a call: each is read by its kind, and refused in Stripe's words where it is not what it must be."""

from typing import Any

from apps.simulator.stripe.contracts import StripeRefusal
from apps.simulator.stripe.services import currencies

MOST_METADATA = 50
LONGEST_NAME = 40
LONGEST_VALUE = 500
LONGEST_TEXT = 5_000


class Params:
    """Parameters of one level; ``path`` is what stands before their names."""

    def __init__(self, values: dict[str, Any], path: str = "") -> None:
        self.values = values
        self.path = path

    def full(self, name: str) -> str:
        """Return the name as the caller wrote it."""
        return f"{self.path}[{name}]" if self.path else name

    def only(self, *names: str) -> None:
        """Refuse every parameter that has another name."""
        for name in self.values:
            if name not in names:
                raise StripeRefusal(
                    400,
                    f"Received unknown parameter: {self.full(name)}",
                    code="parameter_unknown",
                    param=self.full(name),
                )

    def text(self, name: str, *, is_required: bool = False, longest: int = LONGEST_TEXT) -> str | None:
        """Return a text that is not empty, or None where it is not given."""
        value = self.values.get(name)
        if value is None:
            if is_required:
                raise self.missing(name)
            return None
        if not isinstance(value, str):
            raise self.wrong(name, "Invalid string", "parameter_invalid_string")
        if not value:
            raise self.wrong(
                name, f"You passed an empty string for '{self.full(name)}'", "parameter_invalid_empty"
            )
        if len(value) > longest:
            raise self.wrong(
                name,
                f"Invalid string; must be at most {longest} characters",
                "parameter_invalid_string_too_long",
            )
        return value

    def required(self, name: str) -> str:
        """Return a text that must be given."""
        return self.text(name, is_required=True) or ""

    def whole(self, name: str, *, is_required: bool = False) -> int | None:
        """Return a whole number from zero, or None where it is not given."""
        value = self.text(name, is_required=is_required)
        if value is None:
            return None
        if not value.isdecimal():
            raise self.wrong(name, f"Invalid integer: {value}", "parameter_invalid_integer")
        return int(value)

    def flag(self, name: str) -> bool:
        """Return true or false; false where it is not given."""
        value = self.text(name)
        if value not in {None, "true", "false"}:
            raise self.wrong(name, f"Invalid boolean: {value}", "parameter_invalid_boolean")
        return value == "true"

    def choice(self, name: str, *choices: str, is_required: bool = False) -> str | None:
        """Return one of the texts, or None where it is not given."""
        value = self.text(name, is_required=is_required)
        if value is not None and value not in choices:
            raise self.wrong(name, f"Invalid {self.full(name)}: must be one of {', '.join(choices)}", None)
        return value

    def currency(self, name: str = "currency") -> str:
        """Return a currency that Stripe takes."""
        value = self.required(name).lower()
        if value not in currencies.KNOWN:
            raise self.wrong(name, f"Invalid currency: {value}.", None)
        return value

    def address(self, name: str, *, is_required: bool = False) -> str | None:
        """Return an http or https address."""
        value = self.text(name, is_required=is_required)
        if value is not None and not value.startswith(("http://", "https://")):
            raise self.wrong(name, "Not a valid URL", "url_invalid")
        return value

    def inner(self, name: str) -> "Params":
        """Return the parameters of an object, empty where it is not given."""
        value = self.values.get(name, {})
        if not isinstance(value, dict):
            raise self.wrong(name, "Invalid object", "parameter_invalid_object")
        return Params(value, self.full(name))

    def items(self, name: str) -> list["Params"]:
        """Return the objects of a list."""
        value = self.values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.wrong(name, "Invalid array", "parameter_invalid_array")
        return [Params(item, f"{self.full(name)}[{place}]") for place, item in enumerate(value)]

    def texts(self, name: str) -> list[str]:
        """Return the texts of a list."""
        value = self.values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(name, "Invalid array", "parameter_invalid_array")
        return value

    def metadata(self) -> dict[str, str]:
        """Return the caller's own notes; an empty value takes one away."""
        held = self.inner("metadata").values
        for name, value in held.items():
            if not isinstance(value, str) or len(name) > LONGEST_NAME or len(value) > LONGEST_VALUE:
                raise self.wrong(
                    f"metadata[{name}]",
                    "Metadata values can have up to 500 characters",
                    "parameter_invalid_string_too_long",
                )
        if len(held) > MOST_METADATA:
            raise self.wrong("metadata", "Metadata can have up to 50 keys", None)
        return dict(held)

    def missing(self, name: str) -> StripeRefusal:
        """Return the refusal of a parameter that is not there."""
        full = self.full(name)
        return StripeRefusal(400, f"Missing required param: {full}.", code="parameter_missing", param=full)

    def wrong(self, name: str, words: str, code: str | None) -> StripeRefusal:
        """Return the refusal of a parameter that is not what it must be."""
        return StripeRefusal(400, words, param=self.full(name), **({"code": code} if code else {}))
