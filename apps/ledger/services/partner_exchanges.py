"""Exchanges that a key orders: between the accounts that it may post to, within one branch, under keys of its own."""

from dataclasses import dataclass
from datetime import datetime

from apps.access.contracts import Caller
from apps.kit import errors
from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, Booked
from apps.ledger.selectors.rates import RateMissing, RateStale
from apps.ledger.services import exchanges
from apps.ledger.services.exchanges import ExchangeInvalid, Order
from apps.ledger.services.partner_accounts import Named, name_shut, name_sum, naming, resolve
from apps.ledger.services.partner_postings import ledger_key
from apps.ledger.services.refusals import (
    AccountClosed,
    AccountFrozen,
    DraftInvalid,
    KeyReused,
    LimitExceeded,
)

FIELDS: dict[type[errors.DomainError], str] = {
    RateMissing: "/get_currency",
    RateStale: "/get_currency",
    KeyReused: "/key",
    LimitExceeded: "/give",
}
"""Which field of a request a refusal is about that names none itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerExchange:
    """An exchange as a partner writes it; ``key`` is its own and is used once for ever."""

    key: str
    give: Money
    source: Named
    target: Named
    fee: Money | None = None
    fee_account: Named | None = None
    reference: str = ""


def exchange(*, wanted: PartnerExchange, caller: Caller, now: datetime) -> Booked:
    """
    Exchange today at the rate of now, which nobody may choose by choosing the day; see ``exchanges.exchange``, whose refusals name their field.

    Raises what ``partner_accounts.resolve`` raises too.
    """
    named = [one for one in (wanted.source, wanted.target, wanted.fee_account) if one is not None]
    refs = resolve(named, caller)
    try:
        order = _order(wanted, refs, caller)
        return exchanges.exchange(order=order, actor=caller.actor, now=now)
    except (AccountFrozen, AccountClosed) as refusal:
        name_shut(refusal, named, refs)
        raise
    except DraftInvalid as refusal:
        name_sum(refusal, "/give")
        raise
    except tuple(FIELDS) as refusal:
        with naming("", FIELDS[type(refusal)]):
            raise


def _order(wanted: PartnerExchange, refs: list[AccountRef], caller: Caller) -> Order:
    key = ledger_key(caller, wanted.key)
    if len(key) > exchanges.KEY_MAX:
        message = (
            f"A key of an exchange has at most {exchanges.KEY_MAX - len(key) + len(wanted.key)} characters."
        )
        raise ExchangeInvalid(message, errors=[errors.FieldError("/key", ExchangeInvalid.code, message)])
    source, target, *rest = refs
    return Order(
        key=key,
        give=wanted.give,
        source=source,
        target=target,
        fee=wanted.fee,
        fee_account=rest[0] if rest else None,
        reference=wanted.reference,
    )
