"""What a record of the audit log says was changed, for people: money, days and instants as everywhere, no secret, no phone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from apps.kit import redaction
from apps.kit.money import Money, MoneyInvalid
from apps.portal.selectors import words

PAIR = 2
DAY = len("2026-11-24")


@dataclass(frozen=True, slots=True)
class Change:
    """One field: what it was, and what it became; empty for nothing."""

    field: str
    before: str
    after: str

    @property
    def kind(self) -> str:
        if not self.before:
            return "added"
        return "changed" if self.after else "removed"


def of(given: Mapping[str, Any]) -> Iterable[Change]:
    """Produce what became of each field; one that stayed as it was is left out."""
    for name, value in given.items():
        before, after = value if isinstance(value, list) and len(value) == PAIR else (None, value)
        if before != after:
            currency = _currency(given, name)
            yield Change(word(name), _shown(name, before, currency), _shown(name, after, currency))


def word(name: str) -> str:
    """Return Payment cancel requested for payment.cancel_requested."""
    return name.replace(".", " ").replace("_", " ").capitalize().replace("Api key", "API key")


def _currency(given: Mapping[str, Any], name: str) -> str:
    """Return the currency that a record names beside minor units."""
    if not name.endswith("_minor"):
        return ""
    beside = given.get("currency", "")
    return str(beside[-1] or beside[0] or "") if isinstance(beside, list) and beside else str(beside)


def _shown(name: str, value: Any, currency: str) -> str:
    if value is None or value == "":
        return ""
    if redaction.HIDDEN_NAME.search(name):
        return _("hidden")
    if isinstance(value, list):
        return ", ".join(_shown(name, part, currency) for part in value) or _("none")
    if isinstance(value, dict):
        parts = (f"{word(key)}: {_shown(key, part, '')}" for key, part in value.items())
        return _money(value) or ", ".join(parts)
    return _plain(value, currency)


def _plain(value: Any, currency: str) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int) and currency:
        return str(Money(value, currency))
    return words.without_phones(_time(value) if isinstance(value, str) else str(value))


def _money(value: Mapping[str, Any]) -> str:
    if value.keys() != {"amount", "currency"}:
        return ""
    try:
        return str(Money.parse(str(value["amount"]), str(value["currency"])))
    except MoneyInvalid:
        return ""


def _time(text: str) -> str:
    """Return a day or an instant as pages write it, and any other text as it is."""
    if len(text) < DAY or not text[:4].isdecimal() or text[4] != "-":
        return text
    try:
        if len(text) == DAY:
            return date_format(date.fromisoformat(text), "j M Y")
        instant = datetime.fromisoformat(text)
    except ValueError:
        return text
    return date_format(timezone.localtime(instant), "j M Y, H:i:s") if instant.tzinfo else text
