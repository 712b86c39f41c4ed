"""
What a key does to periods: it closes what the checked list lets close, vouches for other systems' work, asks to reopen.

Only a key of all branches, for a period is of the whole book. Why a key may close and not acknowledge suspense:
docs/adr/0026-what-a-key-may-do-to-periods.md.
"""

from datetime import datetime
from uuid import UUID

from apps.access.contracts import Caller
from apps.jobs.services.jobs import Job
from apps.ledger.contracts import Precondition
from apps.ledger.models import SignOff
from apps.ledger.selectors import books
from apps.ledger.selectors import periods as stored
from apps.ledger.services import period_closes, periods, reopenings


def checklist(*, period_id: UUID, caller: Caller, now: datetime) -> list[Precondition]:
    """Return what a close waits for, counted over all branches. Raises NotFound and BookForbidden."""
    books.require_all_branches(caller)
    return periods.checklist(period_id=period_id, now=now)


def sign_off(
    *, period_id: UUID, kind: str, is_signed: bool, note: str, caller: Caller, now: datetime
) -> SignOff:
    """Vouch in the key's name, or take that back; see ``periods.sign_off``. Raises BookForbidden."""
    books.require_all_branches(caller)
    return periods.sign_off(
        kind=kind, period_id=period_id, is_signed=is_signed, note=note, actor=caller.actor, now=now
    )


def close(*, period_id: UUID, reason: str, caller: Caller, now: datetime) -> Job:
    """
    Have a worker close a period; see ``period_closes.start``.

    Holds are not carried over: that they may go on is for a person to decide.
    """
    return period_closes.start(
        period_id=period_id,
        caller=caller,
        title=f"Close {stored.get(period_id)}",
        actor=caller.actor,
        now=now,
        reason=reason,
    )


def ask_to_reopen(*, period_id: UUID, reason: str, caller: Caller, now: datetime) -> UUID:
    """Ask for the reopening of the last closed period; see ``reopenings.ask``. Raises BookForbidden."""
    books.require_all_branches(caller)
    return reopenings.ask(
        period_id=period_id,
        reason=reason,
        actor=caller.actor,
        now=now,
        application_id=caller.application_id,
    )
