"""Each report as one table."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from apps.kit.money import Money
from apps.ledger.rendering.tables import (
    Line,
    LineKind,
    Table,
    account_columns,
    balance_line,
    entry,
    entry_columns,
    facts,
    heading,
    money_column,
    total,
    tree,
)
from apps.ledger.selectors.chart import Node
from apps.ledger.selectors.reports.balance_sheet import BalanceSheet
from apps.ledger.selectors.reports.basis import Basis
from apps.ledger.selectors.reports.general_ledger import GeneralLedger
from apps.ledger.selectors.reports.profit_and_loss import ProfitAndLoss
from apps.ledger.selectors.reports.trial_balance import TrialBalance
from apps.ledger.selectors.statements import Statement


def two_sides(net: Money) -> tuple[Money | None, Money | None]:
    return (net, None) if net.is_positive else (None, -net)


def debit_side(net: Money) -> tuple[Money]:
    return (net,)


def credit_side(net: Money) -> tuple[Money]:
    return (-net,)


def trial_balance(report: TrialBalance, *, now: datetime) -> Table:
    """Return the table of a trial balance."""
    lines = [
        *tree(report.rows, two_sides),
        *(total(_("Total"), own.debits.currency, own.debits, own.credits) for own in report.totals),
    ]
    return Table(
        name="trial-balance",
        title=_("Trial balance"),
        basis=report.basis,
        facts=facts(report.basis, now),
        columns=(*account_columns(), money_column(_("Debit")), money_column(_("Credit"))),
        lines=tuple(lines),
        totals=tuple(
            (label, money)
            for own in report.totals
            for label, money in ((_("Total debit"), own.debits), (_("Total credit"), own.credits))
        ),
    )


def balance_sheet(report: BalanceSheet, *, now: datetime) -> Table:
    """Return the table of a balance sheet."""
    lines: list[Line] = []
    for kind, title, rows, sided in (
        ("assets", _("Assets"), report.assets, debit_side),
        ("liabilities", _("Liabilities"), report.liabilities, credit_side),
        ("equity", _("Equity"), report.equity, credit_side),
    ):
        lines.append(heading(title, columns=5))
        lines += tree(rows, sided, section=title)
        lines += [
            total(_("%(section)s in all") % {"section": title}, own.assets.currency, getattr(own, kind))
            for own in report.totals
        ]
    for own in report.totals:
        currency = own.assets.currency
        lines.append(total(_("Result not yet closed"), currency, own.result))
        if not own.elsewhere.is_zero:
            lines.append(total(_("Booked against other branches or memo accounts"), currency, own.elsewhere))
        lines.append(
            total(
                _("Liabilities, equity and result"),
                currency,
                own.liabilities + own.equity + own.result + own.elsewhere,
            )
        )
    return Table(
        name="balance-sheet",
        title=_("Balance sheet"),
        basis=report.basis,
        facts=facts(report.basis, now),
        columns=(*account_columns(), money_column(_("Balance"))),
        lines=tuple(lines),
        totals=tuple(
            (label, money)
            for own in report.totals
            for label, money in (
                (_("Assets"), own.assets),
                (_("Liabilities"), own.liabilities),
                (_("Equity"), own.equity),
                (_("Result not yet closed"), own.result),
            )
        ),
    )


def profit_and_loss(report: ProfitAndLoss, *, now: datetime) -> Table:
    """Return the table of a profit and loss account."""
    lines: list[Line] = []
    for kind, title, rows, sided in (
        ("income", _("Income"), report.income, credit_side),
        ("expenses", _("Expenses"), report.expenses, debit_side),
    ):
        lines.append(heading(title, columns=5))
        lines += tree(rows, sided, section=title)
        lines += [
            total(_("%(section)s in all") % {"section": title}, own.profit.currency, getattr(own, kind))
            for own in report.totals
        ]
    lines += [total(_("Profit"), own.profit.currency, own.profit) for own in report.totals]
    if len({own.branch_id for own in report.branches}) > 1:
        lines.append(heading(_("Profit by branch"), columns=5))
        lines += [total(own.branch_name, own.profit.currency, own.profit) for own in report.branches]
    return Table(
        name="profit-and-loss",
        title=_("Profit and loss"),
        basis=report.basis,
        facts=facts(report.basis, now),
        columns=(*account_columns(), money_column(_("Amount"))),
        lines=tuple(lines),
        totals=tuple(
            (label, money)
            for own in report.totals
            for label, money in (
                (_("Income"), own.income),
                (_("Expenses"), own.expenses),
                (_("Profit"), own.profit),
            )
        ),
    )


def general_ledger(report: GeneralLedger, *, now: datetime) -> Table:
    """Return the table of a general ledger."""
    lines: list[Line] = []
    for account in report.accounts:
        row = account.row
        name = f"{row.code} {row.name}, {row.branch_name}"
        lines.append(Line(LineKind.HEADING, (name, *[None] * 6), account_uid=row.uid))
        lines.append(balance_line(_("Opening balance"), account.opening))
        lines += (entry(line, row.currency, name) for line in account.lines)
        lines.append(balance_line(_("Closing balance"), account.closing))
    lines += [
        Line(
            LineKind.TOTAL, (_("Total"), None, None, moved.debits.currency, moved.debits, moved.credits, None)
        )
        for moved in report.totals
    ]
    return Table(
        name="general-ledger",
        title=_("General ledger"),
        basis=report.basis,
        facts=facts(report.basis, now),
        columns=entry_columns(),
        lines=tuple(lines),
        totals=tuple(
            (label, money)
            for moved in report.totals
            for label, money in ((_("Total debit"), moved.debits), (_("Total credit"), moved.credits))
        ),
        is_across=True,
    )


def statement(pages: Sequence[Statement], *, known_at: datetime, now: datetime) -> Table:
    """Return the table of the statement of an account, from all of its pages."""
    first, account = pages[0], pages[0].account
    stated = Basis(as_of=first.as_of, known_at=known_at, since=first.since, branch_id=account.branch_id)
    entries = [line for page in pages for line in page.lines]
    name = f"{account.code} {account.name}"
    return Table(
        name=f"statement-{account.code}",
        title=_("Account statement"),
        basis=stated,
        facts=((_("Account"), name), *facts(stated, now)),
        columns=entry_columns(),
        lines=(
            balance_line(_("Opening balance"), first.opening),
            *(entry(line, account.currency, name) for line in entries),
            Line(
                LineKind.TOTAL, (_("Total"), None, None, account.currency, first.debits, first.credits, None)
            ),
            balance_line(_("Closing balance"), first.closing),
        ),
        totals=(
            (_("Opening balance"), first.opening),
            (_("Total debit"), first.debits),
            (_("Total credit"), first.credits),
            (_("Closing balance"), first.closing),
        ),
        is_across=True,
    )


def chart_of_accounts(
    tops: Sequence[Node], stated: Basis, *, narrowed: Sequence[tuple[str, str]], now: datetime
) -> Table:
    """Return the table of the chart: accounts below their headings and lines, and what stands at its top."""
    return Table(
        name="chart-of-accounts",
        title=_("Chart of accounts"),
        basis=stated,
        facts=(*facts(stated, now), *narrowed),
        columns=(*account_columns(), money_column(_("Balance"))),
        lines=tuple(line for top in tops for line in _node(top)),
        totals=tuple((f"{top.code} {top.name}", money) for top in tops for money in top.totals),
    )


def _node(node: Node, section: str = "", depth: int = 0) -> Iterator[Line]:
    """Yield what stands beneath a heading or line of the chart, and its sums; nothing where it has no account."""
    if not node.below:
        return
    title = f"{node.code} {node.name}"
    yield Line(LineKind.HEADING, (title, *[None] * 4), section, depth)
    path = f"{section}, {title}" if section else title
    for one in node.accounts:
        cells = (one.code, one.name, one.branch_name, one.currency, one.balance)
        yield Line(LineKind.ROW, cells, path, depth + 1, account_uid=one.uid)
    for child in node.children:
        yield from _node(child, path, depth + 1)
    for money in node.totals if node.is_heading else ():
        yield total(_("Total %(heading)s") % {"heading": node.name}, money.currency, money, depth=depth)
