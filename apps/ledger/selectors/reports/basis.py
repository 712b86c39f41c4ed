"""What a report is made of: its dates, and one row an account below the headings of the chart."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from apps.access.selectors import branches, scope
from apps.access.selectors.scope import Principal
from apps.kit import errors
from apps.kit.money import Money
from apps.ledger.contracts import AccountType
from apps.ledger.selectors import balances
from apps.ledger.selectors.point_in_time import Asked


class DatesInvalid(errors.Invalid):
    """The days of a report do not follow one another."""

    code = "dates_invalid"
    title = "Dates not valid"


def check_days(since: date | None, as_of: date) -> None:
    """Raise DatesInvalid where the first day is after the last one."""
    if since is not None and since > as_of:
        message = "The first day of a report is not after its last one."
        raise DatesInvalid(message, errors=[errors.FieldError("/since", DatesInvalid.code, message)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """
    What a report states beside its figures: they are those at the end of ``as_of``, as known at ``known_at``.

    ``since`` is the first day of a report on a range. ``branch_id`` is the one branch that it is about, ``within`` the
    branches whose accounts may be read at all; None stands for all of them.
    """

    as_of: date
    known_at: datetime
    since: date | None = None
    branch_id: UUID | None = None
    within: frozenset[UUID] | None = None

    def __post_init__(self) -> None:
        check_days(self.since, self.as_of)

    def is_provisional(self, now: datetime) -> bool:
        """Whether something may still be committed that was posted before ``known_at``: print it again a minute later."""
        return not balances.is_settled(self.known_at, now=now)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of the chart above an account, by its code and name."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Row:
    """
    An account in a report: what was debited and credited, and where it stands in the chart, the top heading first.

    With its ``uid`` and the dates of the report ``selectors.statements`` shows the entries behind the figures.
    """

    uid: UUID
    code: str
    name: str
    type: AccountType
    is_debit_normal: bool
    branch_id: UUID
    branch_name: str
    headings: tuple[Heading, ...]
    currency: str
    debits_minor: int
    credits_minor: int

    @property
    def net_minor(self) -> int:
        """Debits less credits."""
        return self.debits_minor - self.credits_minor

    @property
    def net(self) -> Money:
        """Debits less credits."""
        return Money(self.net_minor, self.currency)

    @property
    def balance(self) -> Money:
        """The balance on the account's normal side."""
        return self.net if self.is_debit_normal else -self.net


ROWS = """
    WITH RECURSIVE place AS (
      SELECT id, code, name, ARRAY[]::text[] AS codes, ARRAY[]::text[] AS names FROM ledger_chartline WHERE parent_id IS NULL
      UNION ALL
      SELECT line.id, line.code, line.name, above.codes || above.code::text, above.names || above.name::text
      FROM ledger_chartline line JOIN place above ON above.id = line.parent_id
    ), asked AS ({asked})
    SELECT a.uid, a.code, a.name, a.type, a.normal, a.branch_id, b.name AS branch_name, a.currency, place.codes, place.names,
      asked.debits, asked.credits, a.id AS account_id, row_number() OVER (
        ORDER BY coalesce(place.codes, ARRAY[]::text[]) || place.code::text, length(a.code), a.code
      ) AS position
    FROM asked JOIN ledger_account a ON a.id = asked.account_id JOIN access_branch b ON b.id = a.branch_id
    LEFT JOIN place ON place.id = a.line_id
    WHERE a.type = ANY (%(types)s) AND (%(branches)s::uuid[] IS NULL OR a.branch_id = ANY (%(branches)s::uuid[]))
      AND (asked.debits <> 0 OR asked.credits <> 0)
    ORDER BY position"""
COLUMNS = 12
"""So many of them are the row's; the account's id and its place in the report follow."""


def rows(
    basis: Basis,
    caller: Principal | None = None,
    *,
    types: Collection[AccountType] = tuple(AccountType),
    is_without_closings: bool = False,
) -> list[Row]:
    """
    Return the accounts on which something was posted, in the order of the chart, within the caller's branches.

    None is the system and sees all. Raises BranchForbidden for a branch that is not the caller's. One statement.
    """
    statement, values = sql(basis, caller, types=types, is_without_closings=is_without_closings)
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [row(found[:COLUMNS]) for found in cursor]


def sql(
    basis: Basis,
    caller: Principal | None,
    *,
    types: Collection[AccountType] = tuple(AccountType),
    is_without_closings: bool = False,
) -> tuple[str, dict[str, Any]]:
    """Return the statement that ``rows`` runs, to be a part of another one, and its values."""
    asked, values = Asked(
        account_ids=None,
        as_of=basis.as_of,
        known_at=basis.known_at,
        since=basis.since,
        is_without_closings=is_without_closings,
    ).sql()
    chosen = _branch_ids(basis, caller)
    more = {"types": [kind.value for kind in types], "branches": None if chosen is None else sorted(chosen)}
    return ROWS.format(asked=asked), {**values, **more}


def currencies(found: Iterable[Row]) -> list[str]:
    """Return the currencies of rows by name."""
    return sorted({row.currency for row in found})


def net(found: Iterable[Row], currency: str) -> Money:
    """Return debits less credits of the rows in one currency."""
    return Money(sum(row.net_minor for row in found if row.currency == currency), currency)


@dataclass(frozen=True, slots=True)
class Group:
    """A heading with all that stands below it; ``depth`` counts the headings above it."""

    heading: Heading
    depth: int
    rows: tuple[Row, ...]

    @property
    def totals(self) -> tuple[Money, ...]:
        """The balances below the heading on the side of its type, one sum per currency."""
        sign = 1 if self.rows[0].is_debit_normal else -1
        return tuple(
            Money(sign * net(self.rows, currency).minor, currency) for currency in currencies(self.rows)
        )


def groups(found: Iterable[Row], depth: int = 0) -> Iterator[Group]:
    """Yield the headings of rows that stand in the order of the chart, each before those below it."""
    below: dict[Heading, list[Row]] = {}
    for row in found:
        if len(row.headings) > depth:
            below.setdefault(row.headings[depth], []).append(row)
    for heading, own in below.items():
        yield Group(heading, depth, tuple(own))
        yield from groups(own, depth + 1)


def _branch_ids(basis: Basis, caller: Principal | None) -> set[UUID] | None:
    if basis.branch_id is not None:
        chosen: set[UUID] | None = {
            basis.branch_id if caller is None else branches.chosen(caller, basis.branch_id).id
        }
    else:
        chosen = None if caller is None else scope.branch_ids(caller)
    if basis.within is None:
        return chosen
    return set(basis.within) if chosen is None else chosen & basis.within


def row(found: Sequence[Any]) -> Row:
    """Return the row of the first columns of ``sql``."""
    uid, code, name, kind, normal, branch_id, branch_name, currency, codes, names, debits, credits_ = found
    return Row(
        uid=uid,
        code=code,
        name=name,
        type=AccountType(kind),
        is_debit_normal=normal > 0,
        branch_id=branch_id,
        branch_name=branch_name,
        headings=tuple(Heading(*pair) for pair in zip(codes or (), names or (), strict=True)),
        currency=currency,
        debits_minor=int(debits),
        credits_minor=int(credits_),
    )
