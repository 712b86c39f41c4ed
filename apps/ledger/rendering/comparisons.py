"""Profit and loss of several ranges of days as one table, a column of money for each."""

from collections.abc import Callable, Sequence
from datetime import date, datetime

from django.utils import formats
from django.utils.translation import gettext as _

from apps.kit.money import Money
from apps.ledger.rendering.tables import (
    Line,
    Table,
    account_columns,
    day,
    facts,
    heading,
    money_column,
    total,
    tree_of,
)
from apps.ledger.selectors.reports.basis import Row
from apps.ledger.selectors.reports.comparison import Comparison, Span
from apps.ledger.selectors.reports.profit_and_loss import Result

ACROSS = 3
"""From so many columns of money on the pages lie across."""


def table(report: Comparison, *, now: datetime) -> Table:
    """Return the table: beside two ranges stands what changed, beside months their sum."""
    columns = titles(report.spans, is_by_month=report.is_by_month)
    heads = [*columns, *([] if report.is_by_month else [_("Change")])]
    width = len(account_columns()) + len(heads)
    lines: list[Line] = []
    for title, rows, sign, part in (
        (_("Income"), report.income, -1, _income),
        (_("Expenses"), report.expenses, 1, _expenses),
    ):
        lines.append(heading(title, columns=width))
        lines += tree_of(rows, _sided(report, sign), section=title)
        lines += [
            total(
                _("%(section)s in all") % {"section": title},
                own[0].income.currency,
                *_figures(report, [part(result) for result in own]),
            )
            for own in report.results()
        ]
    lines += [_profit(report, _("Profit"), own) for own in report.results()]
    by_branch = list(report.branch_results())
    if len({own[0].branch_id for own in by_branch}) > 1:
        lines.append(heading(_("Profit by branch"), columns=width))
        lines += [_profit(report, own[0].branch_name, own) for own in by_branch]
    return Table(
        name="profit-and-loss-compared",
        title=_("Profit and loss"),
        basis=report.basis,
        facts=(*facts(report.basis, now), (_("Side by side"), ", ".join(columns))),
        columns=(*account_columns(), *(money_column(head) for head in heads)),
        lines=tuple(lines),
        totals=tuple(
            (f"{label}, {title}", part(result))
            for own in report.results()
            for title, result in zip(columns, own, strict=True)
            for label, part in ((_("Income"), _income), (_("Expenses"), _expenses), (_("Profit"), _result))
        ),
        is_across=len(heads) > ACROSS,
    )


def titles(spans: Sequence[Span], *, is_by_month: bool) -> list[str]:
    """Return what stands above each column of days."""
    found = [span_title(span) for span in spans]
    return [*found[:-1], _("All months")] if is_by_month else found


def span_title(span: Span) -> str:
    """Return Nov 2026 for a whole month, else the first and the last day."""
    if span.is_month:
        return formats.date_format(span.since, "M Y")
    return f"{_short(span)} \N{EN DASH} {day(span.as_of)}"


def _short(span: Span) -> str:
    first: date = span.since
    return formats.date_format(first, "j M") if first.year == span.as_of.year else day(first)


def _sided(report: Comparison, sign: int) -> Callable[[Sequence[Row]], tuple[Money, ...]]:
    def figures(rows: Sequence[Row]) -> tuple[Money, ...]:
        return _figures(report, [sum_ if sign > 0 else -sum_ for sum_ in report.nets(rows)])

    return figures


def _figures(report: Comparison, sums: Sequence[Money]) -> tuple[Money, ...]:
    return tuple(sums) if report.is_by_month else (*sums, sums[0] - sums[1])


def _profit(report: Comparison, label: str, results: Sequence[Result]) -> Line:
    sums = [own.profit for own in results]
    return total(label, sums[0].currency, *_figures(report, sums))


def _income(result: Result) -> Money:
    return result.income


def _expenses(result: Result) -> Money:
    return result.expenses


def _result(result: Result) -> Money:
    return result.profit
