"""The chart of accounts as people read it: folded and unfolded, with totals, at a date and as known at an instant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_lazy

from apps.access.selectors import scope
from apps.access.selectors.scope import Principal
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole, AccountType
from apps.ledger.selectors import accounts, chart
from apps.ledger.selectors.accounts import AccountBalance
from apps.ledger.selectors.chart import Node, Part
from apps.portal.contracts import Proof

SHOWN = 100
"""So many accounts of one line stand on the page; the list of accounts has the others."""
TYPES = {
    AccountType.ASSET: gettext_lazy("Assets"),
    AccountType.LIABILITY: gettext_lazy("Liabilities"),
    AccountType.EQUITY: gettext_lazy("Equity"),
    AccountType.INCOME: gettext_lazy("Income"),
    AccountType.EXPENSE: gettext_lazy("Expenses"),
    AccountType.MEMO: gettext_lazy("Memo"),
}


@dataclass(frozen=True, slots=True)
class Twig:
    """
    A heading or a line of the chart as it is drawn: open or folded, ``is_quiet`` without an account beneath it.

    ``more`` counts the accounts that do not stand here, ``more_url`` lists them.
    """

    code: str
    name: str
    is_heading: bool
    is_open: bool
    accounts: tuple[AccountBalance, ...]
    totals: tuple[Money, ...]
    children: tuple["Twig", ...]
    more: int = 0
    more_url: str = ""

    @property
    def is_quiet(self) -> bool:
        return not self.totals


@dataclass(frozen=True, slots=True)
class ChartPage:
    """The chart at ``as_of``: what stands at its top, and both sides of all balances where they must be equal."""

    tops: tuple[Twig, ...]
    proof: tuple[Proof, ...]
    accounts: int


def page(caller: Principal, *, as_of: date, known_at: datetime | None, part: Part) -> ChartPage:
    """Return the part of the chart that the caller sees."""
    nodes = chart.tree(caller, as_of=as_of, known_at=known_at, part=part)
    shown = [account for node in nodes for account in node.below]
    return ChartPage(
        tops=tuple(_twig(node) for node in nodes),
        proof=_proof(shown, caller) if part.is_all else (),
        accounts=len(shown),
    )


def beside(
    account: AccountBalance, caller: Principal, *, as_of: date, known_at: datetime | None
) -> tuple[Twig, ...]:
    """Return the lines that have accounts, folded but for those above ``account``."""
    nodes = chart.tree(caller, as_of=as_of, known_at=known_at)
    return tuple(_twig(node, towards=account) for node in nodes if node.below)


def choices(caller: Principal) -> dict[str, list[tuple[str, Any]]]:
    """Return what the chart can be narrowed to: the types, roles, currencies and branches of the accounts that are seen."""
    seen = accounts.visible_to(caller).order_by()
    facts = list(seen.values_list("type", "role", "currency", "branch_id", "branch__name").distinct())
    types, roles = {fact[0] for fact in facts}, {fact[1] for fact in facts}
    return {
        "type": [(kind.value, title) for kind, title in TYPES.items() if kind in types],
        "role": [(role.value, role_name(role)) for role in AccountRole if role in roles],
        "currency": [(currency, currency) for currency in sorted({fact[2] for fact in facts})],
        "branch": sorted({(str(fact[3]), fact[4]) for fact in facts}, key=lambda pair: pair[1]),
    }


def role_name(role: AccountRole) -> str:
    return role.value.replace("_", " ").capitalize()


def part(asked: dict[str, Any]) -> Part:
    """Return the part of the chart that a valid form asks for."""
    return Part(
        branch_id=UUID(asked["branch"]) if asked["branch"] else None,
        currency=asked["currency"],
        type=AccountType(asked["type"]) if asked["type"] else None,
        role=AccountRole(asked["role"]) if asked["role"] else None,
    )


def _twig(node: Node, *, towards: AccountBalance | None = None) -> Twig:
    shown = node.accounts[:SHOWN]
    if towards is not None and towards.line_code == node.code and towards.id not in {one.id for one in shown}:
        shown = (*shown, *(one for one in node.accounts if one.id == towards.id))
    more = len(node.accounts) - len(shown)
    return Twig(
        code=node.code,
        name=node.name,
        is_heading=node.is_heading,
        is_open=_is_open(node, towards),
        accounts=shown,
        totals=node.totals,
        children=tuple(
            _twig(child, towards=towards) for child in node.children if towards is None or child.below
        ),
        more=more,
        more_url=_list_url(node) if more else "",
    )


def _is_open(node: Node, towards: AccountBalance | None) -> bool:
    if towards is None:
        return bool(node.below)
    return any(account.id == towards.id for account in node.below)


def _list_url(node: Node) -> str:
    filters = f"?role__exact={node.role.value}" if node.role else ""
    return reverse("admin:ledger_account_changelist") + filters


def _proof(books: Sequence[AccountBalance], caller: Principal) -> tuple[Proof, ...]:
    """
    Return debit balances against credit balances for each currency.

    Nothing for a reader of some branches: a transaction may have its other side in a branch that he does not see.
    """
    if scope.branch_ids(caller) is not None:
        return ()
    return tuple(_sides(books, currency) for currency in sorted({account.currency for account in books}))


def _sides(books: Sequence[AccountBalance], currency: str) -> Proof:
    nets = [account.net.minor for account in books if account.currency == currency]
    debits = sum(net for net in nets if net > 0)
    return Proof(Money(debits, currency), Money(debits - sum(nets), currency))
