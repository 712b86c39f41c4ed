"""The chart as a tree: headings and lines with the accounts beneath them, and what stands on each at a date."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from uuid import UUID

from apps.access.selectors.scope import Principal
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole, AccountType
from apps.ledger.models import ChartLine
from apps.ledger.selectors import accounts, balances
from apps.ledger.selectors.accounts import AccountBalance
from apps.ledger.selectors.point_in_time import NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Which accounts of the chart: of one branch, currency, type or role, and of the branches that may be read at all."""

    branch_id: UUID | None = None
    currency: str = ""
    type: AccountType | None = None
    role: AccountRole | None = None
    within: frozenset[UUID] | None = None

    @property
    def is_all(self) -> bool:
        return not (self.branch_id or self.currency or self.type or self.role)


ALL = Part()


@dataclass(frozen=True)
class Node:
    """A heading or a line of the chart, its accounts, and what stands below it."""

    code: str
    name: str
    type: AccountType
    role: AccountRole | None
    is_heading: bool
    accounts: tuple[AccountBalance, ...]
    children: tuple["Node", ...]

    @cached_property
    def below(self) -> tuple[AccountBalance, ...]:
        """All accounts at and beneath it, in the order of the chart."""
        return (*self.accounts, *(account for child in self.children for account in child.below))

    @cached_property
    def totals(self) -> tuple[Money, ...]:
        """What stands at and beneath it on the side of its type, one sum per currency."""
        return totals(account.balance for account in self.below)


def tree(
    caller: Principal | None = None,
    *,
    as_of: date,
    known_at: datetime | None = None,
    part: Part = ALL,
) -> tuple[Node, ...]:
    """
    Return the top of the chart with all that the caller sees beneath it, at the end of a day and as known at an instant.

    None is the system and sees all accounts; one that was opened after ``known_at`` is left out. Lines without an account are there where the whole chart is asked for.
    """
    chosen = accounts.with_balances(caller, role=part.role, branch_id=part.branch_id, currency=part.currency)
    shown = [
        account
        for account in chosen
        if part.type in (None, account.type)
        and (part.within is None or account.branch_id in part.within)
        and (known_at is None or account.opened_at <= known_at)
    ]
    stood = balances.totals([account.id for account in shown], as_of=as_of, known_at=known_at)
    nodes = _nodes(_with_net(account, stood.get(account.id, NOTHING).net) for account in shown)
    return nodes if part.is_all else tuple(node for top in nodes for node in _occupied(top))


def totals(sums: Iterable[Money]) -> tuple[Money, ...]:
    """Return one sum per currency, by the name of the currency."""
    found: dict[str, Money] = {}
    for each in sums:
        found[each.currency] = found.get(each.currency, Money.zero(each.currency)) + each
    return tuple(found[currency] for currency in sorted(found))


def _with_net(account: AccountBalance, minor: int) -> AccountBalance:
    net = Money(minor, account.currency)
    return replace(account, net=net, balance=net if account.is_debit_normal else -net)


def _nodes(stood: Iterable[AccountBalance]) -> tuple[Node, ...]:
    """Put accounts on their lines and lines below their headings, each by its code."""
    of_line: dict[str, list[AccountBalance]] = defaultdict(list)
    for account in sorted(stood, key=lambda one: (len(one.code), one.code)):
        of_line[account.line_code].append(account)
    below: dict[UUID | None, list[ChartLine]] = defaultdict(list)
    for line in ChartLine.objects.order_by("code"):
        below[line.parent_id].append(line)

    def made(line: ChartLine) -> Node:
        return Node(
            code=line.code,
            name=line.name,
            type=AccountType(line.type),
            role=AccountRole(line.role) if line.role else None,
            is_heading=line.is_heading,
            accounts=tuple(of_line[line.code]),
            children=tuple(made(child) for child in below[line.pk]),
        )

    return tuple(made(line) for line in below[None])


def _occupied(node: Node) -> Iterator[Node]:
    """Yield the node without what has no account, or nothing."""
    if node.below:
        yield replace(node, children=tuple(kept for child in node.children for kept in _occupied(child)))
