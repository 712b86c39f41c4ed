"""Statements: the entries of one account in order of their dates, with opening, running and closing balance, over all shards."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from apps.kit import errors
from apps.kit.money import Money
from apps.ledger.contracts import Direction, Layer
from apps.ledger.models import Entry
from apps.ledger.selectors.accounts import AccountBalance
from apps.ledger.selectors.point_in_time import Asked
from apps.ledger.selectors.reports.basis import check_days

ROWS = 50
ROWS_MAX = 1000
DAY = timedelta(days=1)
LAST = (2**63 - 1, 2**15 - 1)
"""No transaction and no line of it has a higher number."""
CURSOR = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.([0-9]{1,18})\.([0-9]{1,5})")


class CursorInvalid(errors.Invalid):
    """The cursor of the page is none that was given out."""

    code = "cursor_invalid"
    title = "Cursor not valid"


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One entry; ``balance`` is the account's balance after it on its normal side, in the order of the statement."""

    transaction_uid: UUID
    transaction_number: str
    effective_date: date
    posted_at: datetime
    description: str
    reference: str
    source_type: str
    source_id: UUID
    debit: Money | None
    credit: Money | None
    balance: Money


@dataclass(frozen=True, slots=True)
class Statement:
    """
    A page of an account's statement from ``since`` to ``as_of``, both included, as known at ``known_at`` (None: by now).

    ``opening`` and ``closing`` are of the whole statement, ``brought_forward`` and ``carried_forward`` of this page, all
    on the account's normal side; ``debits`` and ``credits`` moved it in all. ``next`` is the cursor of the following page, empty on the last one.
    """

    account: AccountBalance
    since: date
    as_of: date
    known_at: datetime | None
    opening: Money
    closing: Money
    debits: Money
    credits: Money
    brought_forward: Money
    lines: tuple[StatementLine, ...]
    next: str

    @property
    def carried_forward(self) -> Money:
        return self.lines[-1].balance if self.lines else self.brought_forward


LINE = """e.transaction_id, e.seq, e.effective_date, e.direction, e.amount, t.uid, t.posted_at, t.description,
        t.reference, t.source_type, t.source_id"""
PAGE = """
    WITH opening AS ({opening}), closing AS ({closing}), brought AS ({brought}),
    within AS (
      SELECT coalesce(sum(e.amount * e.direction), 0) AS net FROM ledger_entry e
      JOIN ledger_transaction t ON t.id = e.transaction_id
      WHERE e.account_id = %(account)s AND e.layer = 0 AND e.effective_date = %(day)s
        AND (e.transaction_id, e.seq) {upto} (%(transaction)s, %(seq)s) AND ({known})
    )
    SELECT opening.debits - opening.credits, closing.debits - closing.credits,
      brought.debits - brought.credits + within.net, closing.debits - opening.debits, closing.credits - opening.credits,
      line.*
    FROM opening, closing, brought, within LEFT JOIN LATERAL (
      SELECT {line} FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id
      WHERE e.account_id = %(account)s AND e.layer = 0 AND e.effective_date BETWEEN {days}
        AND (e.effective_date, e.transaction_id, e.seq) {beyond} (%(day)s, %(transaction)s, %(seq)s) AND ({known})
      ORDER BY e.effective_date {order}, e.transaction_id {order}, e.seq {order} LIMIT %(limit)s
    ) AS line ON true
    ORDER BY line.effective_date {order}, line.transaction_id {order}, line.seq {order}"""
ONWARDS = {"upto": "<=", "beyond": ">", "days": "%(day)s AND %(as_of)s", "order": "ASC"}
BACKWARDS = {"upto": "<", "beyond": "<", "days": "%(since)s AND %(day)s", "order": "DESC"}


def page(
    account: AccountBalance,
    *,
    since: date,
    as_of: date,
    known_at: datetime | None = None,
    after: str = "",
    rows: int = ROWS,
) -> Statement:
    """
    Return a page of an account's statement by keyset over (effective date, transaction, line): one statement, one snapshot.

    Visibility is decided where ``account`` was read (``selectors.accounts.get``). Raises DatesInvalid and CursorInvalid.
    """
    check_days(since, as_of)
    rows = min(rows, ROWS_MAX)
    place = _cursor(after, since=since) if after else (since, 0, 0)
    found = _read(account, since=since, as_of=as_of, known_at=known_at, place=place, limit=rows + 1)
    sign = 1 if account.is_debit_normal else -1
    opening, closing, brought = (Money(sign * int(net), account.currency) for net in found[0][:3])
    debits, credits_ = (Money(int(moved), account.currency) for moved in found[0][3:5])
    shown = [row[5:] for row in found if row[5] is not None][:rows]
    last = shown[-1] if len(found) > rows else None
    return Statement(
        account=account,
        since=since,
        as_of=as_of,
        known_at=known_at,
        opening=opening,
        closing=closing,
        debits=debits,
        credits=credits_,
        brought_forward=brought,
        lines=tuple(lines_of(shown, brought, sign)),
        next=cursor_of(last) if last else "",
    )


@dataclass(frozen=True, slots=True)
class Latest:
    """
    The newest entries of an account first, and how its balance came about from ``since`` to ``as_of``.

    ``older`` is the cursor of the following page, empty on the last one.
    """

    opening: Money
    closing: Money
    debits: Money
    credits: Money
    lines: tuple[StatementLine, ...]
    older: str


def latest(
    account: AccountBalance,
    *,
    since: date,
    as_of: date,
    known_at: datetime | None = None,
    before: str = "",
    rows: int = ROWS,
) -> Latest:
    """
    Return the entries dated ``since`` to ``as_of``, the newest first, by keyset as ``page``: one statement, one snapshot.

    Visibility is decided where ``account`` was read. Raises DatesInvalid and CursorInvalid.
    """
    check_days(since, as_of)
    rows = min(rows, ROWS_MAX)
    place = _cursor(before, since=since, as_of=as_of) if before else (as_of, *LAST)
    found = _read(
        account, since=since, as_of=as_of, known_at=known_at, place=place, limit=rows + 1, way=BACKWARDS
    )
    sign = 1 if account.is_debit_normal else -1
    opening, closing, carried = (Money(sign * int(net), account.currency) for net in found[0][:3])
    debits, credits_ = (Money(int(moved), account.currency) for moved in found[0][3:5])
    shown = [row[5:] for row in found if row[5] is not None][:rows]
    brought = carried - Money(sign * sum(row[3] * int(row[4]) for row in shown), account.currency)
    last = shown[-1] if len(found) > rows else None
    return Latest(
        opening=opening,
        closing=closing,
        debits=debits,
        credits=credits_,
        lines=tuple(reversed(list(lines_of(shown[::-1], brought, sign)))),
        older=cursor_of(last) if last else "",
    )


def first_day(account: AccountBalance) -> date | None:
    """Return the day of the account's first entry, whenever that was posted; None where it has none."""
    own = Entry.objects.filter(account_id=account.id, layer=Layer.POSTED)
    return own.order_by("effective_date").values_list("effective_date", flat=True).first()


def _read(
    account: AccountBalance,
    *,
    since: date,
    as_of: date,
    known_at: datetime | None,
    place: tuple[date, int, int],
    limit: int,
    way: Mapping[str, str] = ONWARDS,
) -> list[tuple[Any, ...]]:
    day, transaction, seq = place
    values: dict[str, Any] = {
        "account": account.id,
        "as_of": as_of,
        "known_at": known_at,
        "since": since,
        "day": day,
        "transaction": transaction,
        "seq": seq,
        "limit": limit,
    }
    parts = {}
    for name, end in (("opening", _before(since)), ("closing", as_of), ("brought", _before(day))):
        parts[name], more = Asked(account_ids=[account.id], as_of=end, known_at=known_at).sql(name)
        values |= more
    statement = PAGE.format(
        line=LINE,
        known="true" if known_at is None else "t.posted_at <= %(known_at)s",
        **way,
        **parts,
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def lines_of(rows: Sequence[tuple[Any, ...]], brought: Money, sign: int) -> Iterator[StatementLine]:
    """Yield the lines of what ``LINE`` selects; ``sign`` is +1 where debits increase the balance."""
    balance = brought
    for (
        number,
        _,
        day,
        direction,
        amount,
        uid,
        posted_at,
        description,
        reference,
        source_type,
        source_id,
    ) in rows:
        money = Money(int(amount), brought.currency)
        is_debit = direction == Direction.DEBIT
        balance += money if is_debit == (sign > 0) else -money
        yield StatementLine(
            transaction_uid=uid,
            transaction_number=f"LT-{number:07d}",
            effective_date=day,
            posted_at=posted_at,
            description=description,
            reference=reference,
            source_type=source_type,
            source_id=source_id,
            debit=money if is_debit else None,
            credit=None if is_debit else money,
            balance=balance,
        )


def cursor_of(row: Sequence[Any]) -> str:
    """Return the cursor of a page that goes on after a row of what ``LINE`` selects."""
    number, seq, day, *_ = row
    return f"{day.isoformat()}.{number}.{seq}"


def _before(day: date) -> date:
    return day - DAY if day > date.min else day


def _cursor(text: str, *, since: date, as_of: date = date.max) -> tuple[date, int, int]:
    match = CURSOR.fullmatch(text)
    try:
        day = date.fromisoformat(match[1]) if match else date.min
    except ValueError:
        day = date.min
    if match is None or not since <= day <= as_of:
        message = "This cursor was not given out by a statement."
        raise CursorInvalid(message, errors=[errors.FieldError("/cursor", CursorInvalid.code, message)])
    return day, int(match[2]), int(match[3])
