"""Journals: the one way in which anything is booked."""

import hashlib
import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from apps.kit import ids
from apps.kit.actors import Actor
from apps.kit.money import MINOR_UNITS_MAX
from apps.ledger.contracts import AccountRef, Booked, Draft, Leg
from apps.ledger.models import Account
from apps.ledger.services import accounts
from apps.ledger.services.refusals import (
    AccountClosed,
    AccountFrozen,
    AccountUnknown,
    BookMissing,
    ClockSkewed,
    DraftInvalid,
    ExponentChanged,
    KeyReused,
    LedgerBusy,
    LedgerMisused,
    LimitExceeded,
    PeriodClosed,
    Unbalanced,
    translated,
)
from apps.tenancy.selectors import organisations

__all__ = [
    "AccountClosed",
    "AccountFrozen",
    "AccountUnknown",
    "BookMissing",
    "ClockSkewed",
    "DraftInvalid",
    "ExponentChanged",
    "KeyReused",
    "LedgerBusy",
    "LedgerMisused",
    "LimitExceeded",
    "PeriodClosed",
    "Unbalanced",
    "post",
]

ATTEMPTS = 3
LEGS_MAX = 10_000

TRANSFER = (
    "SELECT booked_id, booked_uid, is_replay FROM ledger_transfer("
    "%s, %s, %s, %s, %s, %s, %s, %s, %s::date, %s::timestamptz, %s, %s, %s, %s, %s, %s)"
)
POST = (
    "SELECT booked_id, booked_uid, is_replay FROM ledger_post("
    "%s, %s, %s, %s, %s::bigint[], %s::text[], %s::smallint[], %s::numeric[], "
    "%s::date, %s::timestamptz, %s, %s, %s, %s, %s, %s)"
)


def post(*, draft: Draft, actor: Actor, now: datetime) -> Booked:
    """
    Book a draft, all of it or nothing, as a part of the caller's transaction if there is one.

    The same draft again returns the first booking (``is_replay``). Missing accounts are opened. Balance rows stay locked
    until the caller's transaction ends: make this its last step. A refusal leaves the caller's transaction usable.
    Raises DraftInvalid, Unbalanced, KeyReused, LimitExceeded, AccountFrozen, AccountClosed, PeriodClosed, ClockSkewed,
    and LedgerBusy when locks cannot be had; in a transaction of its own it has then tried 3 times. Outside an
    organisation's schema it raises NoOrganisation.
    """
    organisations.current()
    _check(draft)
    attempts = 1 if connection.in_atomic_block else ATTEMPTS
    while True:
        attempts -= 1
        try:
            return _book(draft, actor=actor, now=now)
        except LedgerBusy:
            if not attempts:
                raise


def _book(draft: Draft, *, actor: Actor, now: datetime) -> Booked:
    names: dict[int, str] = {}
    with translated(names), transaction.atomic():
        resolved = accounts.resolve(refs=[leg.account for leg in draft.legs], now=now)
        names |= {account.id: str(account) for account in resolved.values()}
        with connection.cursor() as cursor:
            cursor.execute(*_call(draft, resolved, actor=actor, now=now))
            number, uid, is_replay = cursor.fetchone()
    return Booked(id=uid, number=number, is_replay=is_replay)


def _call(
    draft: Draft, resolved: dict[AccountRef, Account], *, actor: Actor, now: datetime
) -> tuple[str, list[Any]]:
    """Return the function's call: the fast one for two legs in one currency."""
    head = [ids.new(), draft.key, request_hash(draft), draft.kind.value]
    tail = [
        draft.effective_date,
        draft.event_at,
        draft.source_type,
        draft.source_id,
        draft.reference,
        draft.description,
        str(actor),
        now,
    ]
    legs = sorted(draft.legs, key=lambda leg: -leg.direction) if len(draft.legs) == 2 else draft.legs  # noqa: PLR2004 (debit, credit)
    account_ids = [resolved[leg.account].id for leg in legs]
    if len(legs) == 2:  # noqa: PLR2004 (debit, credit)
        money = legs[0].money
        return TRANSFER, [*head, *account_ids, money.currency, money.minor, *tail]
    currencies = [leg.money.currency for leg in legs]
    directions = [leg.direction.value for leg in legs]
    amounts = [leg.money.minor for leg in legs]
    return POST, [*head, account_ids, currencies, directions, amounts, *tail]


def request_hash(draft: Draft) -> bytes:
    """Return the SHA-256 of all that the draft says, independent of row ids."""
    body = {
        "kind": draft.kind.value,
        "effective_date": draft.effective_date and draft.effective_date.isoformat(),
        "event_at": draft.event_at and draft.event_at.astimezone(UTC).isoformat(),
        "source": [draft.source_type, str(draft.source_id)],
        "reference": draft.reference,
        "description": draft.description,
        "legs": [
            [
                leg.account.role.value,
                str(leg.account.owner_id or ""),
                str(leg.account.branch_id),
                leg.money.currency,
                leg.direction.value,
                str(leg.money.minor),
            ]
            for leg in draft.legs
        ],
    }
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).digest()


def _check(draft: Draft) -> None:
    if not draft.key or not draft.source_type:
        raise DraftInvalid("A posting has a key and a source.")
    if "\0" in draft.key + draft.source_type + draft.reference + draft.description:
        raise DraftInvalid("A text of the posting holds a NUL.")
    if not 2 <= len(draft.legs) <= LEGS_MAX:  # noqa: PLR2004 (debit, credit)
        raise DraftInvalid(f"A posting has 2 to {LEGS_MAX} legs.")
    sums: Counter[str] = Counter()
    for leg in draft.legs:
        _check_leg(leg)
        sums[leg.money.currency] += leg.direction * leg.money.minor
    for currency, difference in sums.items():
        if difference:
            raise Unbalanced(f"Debits and credits in {currency} differ by {abs(difference)} minor units.")
    debited = {leg.account for leg in draft.legs if leg.debit is not None}
    if any(leg.account in debited for leg in draft.legs if leg.credit is not None):
        raise DraftInvalid("An account is debited and credited in one posting.")


def _check_leg(leg: Leg) -> None:
    if (leg.debit is None) == (leg.credit is None):
        raise DraftInvalid("A leg is either a debit or a credit.")
    if not 0 < leg.money.minor <= MINOR_UNITS_MAX:
        raise DraftInvalid("The sum of a leg is positive and at most 38 digits long.")
    if leg.money.currency != leg.account.currency:
        raise DraftInvalid(
            f"A leg in {leg.money.currency} cannot be posted to an account in {leg.account.currency}."
        )
