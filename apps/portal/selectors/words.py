"""Short texts that several pages share: masked phones, elapsed times, names of rails, hosts and actors."""

import re
from datetime import date, datetime
from urllib.parse import urlsplit
from uuid import UUID

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, gettext_lazy

from apps.access.selectors import api_keys, memberships
from apps.integrations.contracts import provider_name
from apps.kit.actors import ActorKind
from apps.ledger.contracts import TransactionKind

BULLETS = "\N{BULLET}" * 3
TRANSACTION_KINDS = {
    TransactionKind.POSTING: gettext_lazy("Posting"),
    TransactionKind.HOLD: gettext_lazy("Hold"),
    TransactionKind.CAPTURE: gettext_lazy("Capture of a hold"),
    TransactionKind.RELEASE: gettext_lazy("Release of a hold"),
    TransactionKind.EXPIRY: gettext_lazy("Expiry of a hold"),
    TransactionKind.REVERSAL: gettext_lazy("Reversal"),
    TransactionKind.ADJUSTMENT: gettext_lazy("Adjustment"),
    TransactionKind.EXCHANGE: gettext_lazy("Exchange of currencies"),
    TransactionKind.REVALUATION: gettext_lazy("Revaluation"),
    TransactionKind.CLOSING: gettext_lazy("Year-end closing"),
    TransactionKind.OPENING: gettext_lazy("Opening balances"),
}
RELATED = {
    "reverses": gettext_lazy("Reverses %(number)s"),
    "hold": gettext_lazy("Hold %(number)s"),
    "reversed_by": gettext_lazy("Reversed by %(number)s"),
}
"""How a transaction refers to another one."""
PHONE = re.compile(r"(?<![0-9A-Za-z])\+?254([17]\d{2})\d{3}(\d{3})(?![0-9A-Za-z])")
MINUTE, HOUR, DAY = 60, 3600, 86400


def phone(number: str) -> str:
    """Return 0712 ••• 678 for +254712345678; what is no Kenyan mobile number keeps its ends only."""
    if match := PHONE.fullmatch(number):
        return f"0{match[1]} {BULLETS} {match[2]}"
    return f"{number[:4]} {BULLETS} {number[-3:]}" if number else ""


def without_phones(text: str) -> str:
    """Return a text in which every Kenyan mobile number is masked."""
    return PHONE.sub(rf"+254\1{BULLETS}\2", text)


def elapsed(start: datetime, end: datetime) -> str:
    """Return 34 s, 12 min, 3 h or 2 d."""
    seconds = max(0, round((end - start).total_seconds()))
    for unit, size in (("d", DAY), ("h", HOUR), ("min", MINUTE)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def at_and_known(*, since: date | None, as_of: date, known_at: datetime | None) -> str:
    """Return what figures are of: from which day to the end of which, and as known when."""
    days = (
        gettext("%(since)s to %(as_of)s")
        % {"since": date_format(since, "j M Y"), "as_of": date_format(as_of, "j M Y")}
        if since
        else gettext("At the end of %(day)s") % {"day": date_format(as_of, "j M Y")}
    )
    if known_at is None:
        return gettext("%(days)s, as known now") % {"days": days}
    local = timezone.localtime(known_at)
    instant = f"{date_format(local, 'j M Y')}, {local:%H:%M:%S} {local.tzname()}"
    return gettext("%(days)s, as known at %(instant)s") % {"days": days, "instant": instant}


def rail(method: str) -> str:
    """Return M-Pesa for MPESA."""
    return provider_name(method)


def host(url: str) -> str:
    """Return what people recognise an address by."""
    parts = urlsplit(url)
    return parts.netloc or url


def event(name: str) -> str:
    """Return Payment success for payment_success: for headings; lists show the name itself."""
    return name.replace("_", " ").capitalize()


def actor(text: str) -> str:
    """
    Return who is behind an actor as it is stored (``api_key:<uuid>``, ``user:<uuid>``, ``system:treasury``, ``operator:<name>``).

    Reads at most one row; an id that is no longer known stays as it is.
    """
    kind, _, identity = text.partition(":")
    try:
        key = UUID(identity)
    except ValueError:
        if kind == ActorKind.OPERATOR.lower():
            return gettext("%(name)s, the platform's operator") % {"name": identity}
        return {"system": "Treasury", "provider": gettext("Provider's report")}.get(kind, text)
    if kind == ActorKind.API_KEY.lower() and (found := api_keys.get(key)):
        return gettext("%(application)s, key %(name)s") % {
            "application": found.application.name,
            "name": found.name,
        }
    if kind == ActorKind.USER.lower() and (member := memberships.everybody().filter(user_id=key).first()):
        return str(member.user.name)
    return text
