"""Journals that a key asks for: on every account of its branches, for other people agree before anything is booked."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from apps.access.contracts import Caller
from apps.access.selectors import scope
from apps.kit import errors
from apps.ledger.services import adjustments
from apps.ledger.services.adjustments import NewJournal
from apps.ledger.services.partner_accounts import naming

ACCOUNT = "/account"


def ask(*, journal: NewJournal, caller: Caller, now: datetime) -> UUID:
    """Ask for a journal and return the approval request's id; see ``adjustments.ask``, whose refusals name their field."""
    try:
        with naming("", "/voucher"):
            return adjustments.ask(
                journal=journal,
                actor=caller.actor,
                now=now,
                within=scope.branch_ids(caller),
                application_id=caller.application_id,
            )
    except errors.DomainError as refusal:
        refusal.errors = tuple(
            replace(one, pointer=f"{one.pointer}_id") if one.pointer.endswith(ACCOUNT) else one
            for one in refusal.errors
        )
        raise
