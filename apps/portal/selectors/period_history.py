"""What somebody did with a period, as the audit trail has it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from apps.audit.selectors import records
from apps.kit import ids
from apps.ledger.contracts import SIGN_OFFS, PeriodState
from apps.ledger.events import PERIOD_AGGREGATE, PERIOD_PREFIX
from apps.ledger.selectors.periods import Period
from apps.portal.contracts import Tone
from apps.portal.selectors import words

SHOWN = 50

type Changes = Mapping[str, Any]
type Said = tuple[Tone, str, str]
"""Tone, icon and sentence."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One deed: who, when, and why as far as he said so."""

    at: datetime
    tone: Tone
    icon: str
    title: str
    who: str
    reason: str


def of(period: Period) -> tuple[Deed, ...]:
    """Return the deeds about a period, the last one first."""
    found = records.of(object_type=PERIOD_AGGREGATE, object_id=ids.encode(PERIOD_PREFIX, period.uid))
    names: dict[str, str] = {}
    deeds = []
    for record in found.reverse()[:SHOWN]:
        actor = f"{record.actor_kind.lower()}:{record.actor_id}"
        if actor not in names:
            names[actor] = words.actor(actor)
        tone, icon, title = (
            SAID[record.action](record.changes) if record.action in SAID else _other(record.action)
        )
        deeds.append(Deed(record.occurred_at, tone, icon, title, names[actor], record.reason))
    return tuple(deeds)


def _signed_off(changes: Changes) -> Said:
    ((kind, (_before, is_signed)),) = changes.items()
    name = SIGN_OFFS[kind].title if kind in SIGN_OFFS else kind
    if is_signed:
        return Tone.DONE, "verified", _("Signed off: %(what)s") % {"what": name}
    return Tone.HELD, "undo", _("Sign-off taken back: %(what)s") % {"what": name}


def _marked(changes: Changes) -> Said:
    is_soft = changes["state"][1] == PeriodState.SOFT_CLOSED
    said = _("Close announced") if is_soft else _("Announcement of the close taken back")
    return Tone.PENDING, "lock_clock" if is_soft else "lock_open", said


def _closed(changes: Changes) -> Said:
    return Tone.DONE, "lock", _("Closed, checkpoint %(hash)s…") % {"hash": changes["checkpoint_hash"][1][:16]}


def _reopened(changes: Changes) -> Said:
    names = ", ".join(map(words.actor, changes["approved_by"][1].split(", ")))
    return Tone.HELD, "lock_open", _("Opened again, agreed by %(names)s") % {"names": names}


def _asked(_changes: Changes) -> Said:
    return Tone.HELD, "approval", _("Asked to open it again")


def _void(_changes: Changes) -> Said:
    return Tone.QUIET, "block", _("The agreement to open it again was void")


def _other(action: str) -> Said:
    return Tone.QUIET, "edit_note", action


SAID: dict[str, Callable[[Changes], Said]] = {
    "period.signed_off": _signed_off,
    "period.marked": _marked,
    "period.closed": _closed,
    "period.reopening_asked": _asked,
    "period.reopened": _reopened,
    "period.reopening_void": _void,
}
