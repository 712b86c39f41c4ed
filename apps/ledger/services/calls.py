"""Calls of the ledger's SQL functions: drafts as typed arrays, in the order of the functions' arguments."""

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from django.db import connection, transaction

from apps.kit import ids, schema
from apps.kit.actors import Actor
from apps.ledger.contracts import AccountRef, Draft, Leg
from apps.ledger.services.refusals import LedgerBusy, translated

type Call = tuple[bytes, list[Any]]

ATTEMPTS = 3

TRANSFER = (
    b"SELECT booked_id, booked_uid, booked_date, is_replay FROM ledger_transfer("
    b"$1, $2, $3, $4, ledger_find_account($5, $6, $7, $8), ledger_find_account($9, $10, $11, $12), $13, $14,"
    b" $15::date, $16::timestamptz, $17, $18, $19, $20, $21, $22)"
)


def request_hash(draft: Draft) -> bytes:
    """
    Return the SHA-256 of all that the draft says; accounts by what they are for, not by their rows.

    ``reverses`` and ``hold`` are numbers of rows: those drafts are the same only in the books in which they were made.
    What is hashed is a tuple of texts and whole numbers as Python writes it in ASCII, which no other facts are written as.
    """
    facts = (
        draft.kind.value,
        draft.effective_date and draft.effective_date.isoformat(),
        draft.event_at and draft.event_at.astimezone(UTC).isoformat(),
        draft.source_type,
        draft.source_id.int,
        draft.reference,
        draft.description,
        draft.approved_by,
        draft.reason,
        draft.reverses,
        draft.hold,
        draft.cost_centre,
        sorted((draft.dimensions or {}).items()),
        [_of_leg(leg) for leg in draft.legs],
    )
    return hashlib.sha256(ascii(facts).encode()).digest()


def _of_leg(leg: Leg) -> tuple[object, ...]:
    account, money = leg.account, leg.money
    owner = None if account.owner_id is None else account.owner_id.int
    where = (account.role.value, owner, account.branch_id.int)
    return (*where, money.currency, leg.layer.value, leg.direction.value, money.minor)


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


OF_DRAFT: Sequence[Callable[[Draft], Any]] = (
    lambda _: ids.new(),
    lambda draft: draft.key,
    request_hash,
    lambda draft: draft.kind.value,
    lambda draft: draft.effective_date,
    lambda draft: draft.event_at,
    lambda draft: draft.source_type,
    lambda draft: draft.source_id,
    lambda draft: draft.reference,
    lambda draft: draft.description,
    lambda draft: draft.approved_by,
    lambda draft: draft.reason,
    lambda draft: draft.reverses,
    lambda draft: draft.hold,
    lambda draft: draft.cost_centre,
    lambda draft: _json(draft.dimensions) if draft.dimensions else None,
)
"""The arrays of ledger_post that have one member for each transaction."""

OF_LEG: Sequence[Callable[[int, Leg], Any]] = (
    lambda place, _: place,
    lambda _, leg: leg.account.role.value,
    lambda _, leg: leg.account.owner_id,
    lambda _, leg: leg.account.branch_id,
    lambda _, leg: leg.account.currency,
    lambda _, leg: leg.money.currency,
    lambda _, leg: leg.layer.value,
    lambda _, leg: leg.direction.value,
    lambda _, leg: leg.money.minor,
)
"""The arrays that have one member for each leg."""

POST = (
    b"SELECT booked_id, booked_uid, booked_date, is_replay FROM ledger_post("
    b"$1::uuid[], $2::text[], $3::bytea[], $4::text[], $5::date[], $6::timestamptz[], $7::text[], $8::uuid[], $9::text[],"
    b" $10::text[], $11::text[], $12::text[], $13::bigint[], $14::bigint[], $15::text[], $16::jsonb[],"
    b" $17::integer[], ARRAY(SELECT ledger_find_account(role, owner_id, branch_id, currency)"
    b" FROM unnest($18::text[], $19::uuid[], $20::uuid[], $21::text[]) WITH ORDINALITY"
    b" AS named (role, owner_id, branch_id, currency, place) ORDER BY place),"
    b" $22::text[], $23::smallint[], $24::smallint[], $25::numeric[],"
    b" $26, $27, $28) ORDER BY place"
)


def rows(call: Call) -> list[tuple[Any, ...]]:
    """Return the rows of a call, which PostgreSQL has prepared (see ``schema.prepared``)."""
    found: list[tuple[Any, ...]] = schema.prepared(*call).fetchall()
    return found


def tried[Result](work: Callable[[], Result]) -> Result:
    """
    Return what ``work`` returns; it is done up to 3 times where it is a transaction of its own and the ledger is busy.

    A part of the caller's transaction is done once: after a deadlock all of that would have to be done again.
    """
    attempts = 1 if connection.in_atomic_block else ATTEMPTS
    for _ in range(attempts - 1):
        with suppress(LedgerBusy):
            return work()
    return work()


def whole[**Said, Result](service: Callable[Said, Result]) -> Callable[Said, Result]:
    """
    Make a service one transaction that ends in typed refusals, tried as a whole (see ``tried``).

    For services that change nothing when they are called again: each has a key, or looks first at what is there.
    """

    def once(*args: Said.args, **kwargs: Said.kwargs) -> Result:
        with translated(), transaction.atomic():
            return service(*args, **kwargs)

    @wraps(service)
    def called(*args: Said.args, **kwargs: Said.kwargs) -> Result:
        return tried(lambda: once(*args, **kwargs))

    return called


def transfer(draft: Draft, *, actor: Actor, now: datetime) -> Call:
    """Return the fast call, for a draft that ``is_plain``. An account that is missing is refused with LG001."""
    debited, credited = sorted(draft.legs, key=lambda leg: -leg.direction)
    return TRANSFER, [
        ids.new(),
        draft.key,
        request_hash(draft),
        draft.kind.value,
        *_named(debited.account),
        *_named(credited.account),
        debited.money.currency,
        debited.money.minor,
        draft.effective_date,
        draft.event_at,
        draft.source_type,
        draft.source_id,
        draft.reference,
        draft.description,
        str(actor),
        now,
    ]


def _named(ref: AccountRef) -> list[Any]:
    return [ref.role.value, ref.owner_id, ref.branch_id, ref.currency]


def post(drafts: Sequence[Draft], *, actor: Actor, now: datetime, force: bool) -> Call:
    """Return the call that books any drafts; its rows come in their order. Refused as ``transfer``."""
    legs = [(place, leg) for place, draft in enumerate(drafts, start=1) for leg in draft.legs]
    of_drafts = [[value(draft) for draft in drafts] for value in OF_DRAFT]
    of_legs = [[value(*leg) for leg in legs] for value in OF_LEG]
    return POST, [*of_drafts, *of_legs, str(actor), now, force]
