"""The pages of reports, for WeasyPrint."""

from collections.abc import Collection

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from apps.kit.money import Money
from apps.ledger.rendering.tables import Cell, ColumnKind, Line, Table, day
from apps.tenancy.selectors import branding

STYLE = "ledger/report.css"
MINUS = "\N{MINUS SIGN}"
FIGURE = 14
"""So many figures and commas of a sum stand in the ordinary size; longer ones make the whole table smaller."""


def html(table: Table, *, pictures: Collection[str] = ()) -> str:
    """
    Return the pages of a report: A4, across for entries, with its facts above and the page of how many below, and the logo
    where that is among the ``pictures`` that are given to the sheet.
    """
    look = branding.present()
    longest = max(
        (len(_money(cell)) for line in table.lines for cell in line.cells if isinstance(cell, Money)),
        default=0,
    )
    return render_to_string(
        "ledger/report.html",
        {
            "table": table,
            "facts": (*table.facts, (_("Rows"), sum(1 for _row in table.rows))),
            "organisation": look.name,
            "brand": look.color,
            "on_brand": look.on_color,
            "has_logo": "logo" in pictures,
            "columns": [(column, column.kind == ColumnKind.MONEY) for column in table.columns],
            "lines": [_line(table, line) for line in table.lines],
            "is_small": longest > FIGURE,
            "running": _running(table, look.name),
        },
    )


def _running(table: Table, organisation: str) -> str:
    """Return what stands at the foot of every page: whose report it is, of which days, and as known when."""
    known_at = dict(table.facts)[_("Known at")]
    days = [day(own) for own in (table.basis.since, table.basis.as_of) if own is not None]
    return _("%(organisation)s, %(title)s, %(days)s, known at %(known_at)s") % {
        "organisation": organisation,
        "title": table.title,
        "days": " \N{EN DASH} ".join(days),
        "known_at": known_at,
    }


def _line(table: Table, line: Line) -> dict[str, object]:
    cells = [
        {"text": _text(cell), "is_money": column.kind == ColumnKind.MONEY, "is_wide": column.is_wide}
        for column, cell in zip(table.columns, line.cells, strict=True)
    ]
    blank = next((n for n, cell in enumerate(line.cells[1:], start=1) if cell is not None), len(cells))
    span = 1 if line.kind == "ROW" else blank
    return {
        "kind": line.kind.lower(),
        "depth": min(line.depth, 5),
        "span": span,
        "first": cells[0],
        "rest": cells[span:],
    }


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Money):
        return _money(cell)
    return cell if isinstance(cell, str) else day(cell)


def _money(money: Money) -> str:
    return str(money).partition(" ")[2].replace("-", MINUS)
