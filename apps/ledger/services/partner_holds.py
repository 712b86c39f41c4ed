"""What partners hold over the API: the same accounts, branches and keys as for what they post."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.access.contracts import Caller
from apps.kit import errors
from apps.kit.money import Money
from apps.ledger.contracts import Booked
from apps.ledger.services import holds
from apps.ledger.services.holds import CaptureInvalid, HoldExceeded, HoldExpired, Promise
from apps.ledger.services.partner_accounts import Named, name_shut, name_sum, resolve
from apps.ledger.services.partner_postings import SOURCE, ledger_key, require_own
from apps.ledger.services.refusals import AccountClosed, AccountFrozen, DraftInvalid, KeyReused, LimitExceeded

FIELDS: dict[type[errors.DomainError], str] = {
    HoldExpired: "/expires_at",
    HoldExceeded: "/amount",
    CaptureInvalid: "/amount",
    LimitExceeded: "/amount",
    KeyReused: "/key",
}
"""Which field of a request a refusal is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerHold:
    """A promise as a partner writes it."""

    key: str
    description: str
    payer: Named
    payee: Named
    money: Money
    expires_at: datetime | None = None
    reference: str = ""


def place(*, wanted: PartnerHold, caller: Caller, now: datetime) -> Booked:
    """Hold a sum. Raises what ``partner_accounts.resolve`` and ``holds.place`` raise, each with its field."""
    payer, payee = resolve([wanted.payer, wanted.payee], caller)
    promise = Promise(
        key=ledger_key(caller, wanted.key),
        description=wanted.description,
        source_type=SOURCE,
        source_id=caller.application_id,
        payer=payer,
        payee=payee,
        money=wanted.money,
        expires_at=wanted.expires_at,
        reference=wanted.reference,
    )
    try:
        return holds.place(promise=promise, actor=caller.actor, now=now)
    except (AccountFrozen, AccountClosed) as refusal:
        name_shut(refusal, [wanted.payer, wanted.payee], [payer, payee])
        raise
    except DraftInvalid as refusal:
        name_sum(refusal, "/amount")
        raise
    except tuple(FIELDS) as refusal:
        _name(refusal)
        raise


def capture(*, hold_id: UUID, money: Money, key: str, caller: Caller, now: datetime) -> Booked:
    """Book a part or all of what the key's application holds. Raises TransactionForeign, and as ``holds.capture``."""
    require_own(hold_id, caller)
    named = ledger_key(caller, key)
    try:
        return holds.capture(hold_id=hold_id, money=money, key=named, actor=caller.actor, now=now)
    except (HoldExceeded, CaptureInvalid, KeyReused) as refusal:
        _name(refusal)
        raise


def release(*, hold_id: UUID, reason: str, caller: Caller, now: datetime) -> Booked:
    """Give back what the key's application still holds. Raises TransactionForeign, and as ``holds.release``."""
    require_own(hold_id, caller)
    return holds.release(hold_id=hold_id, reason=reason, actor=caller.actor, now=now)


def _name(refusal: errors.DomainError) -> None:
    refusal.errors = (errors.FieldError(FIELDS[type(refusal)], refusal.code, refusal.detail),)
