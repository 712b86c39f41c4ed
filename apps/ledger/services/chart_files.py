"""The chart as a file: written as CSV or XLSX, and read back whole, after showing what would change."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from openpyxl import Workbook

from apps.audit.services import records
from apps.kit import errors, locks
from apps.kit.actors import Actor
from apps.kit.errors import FieldError
from apps.ledger.contracts import CHART, AccountRole, AccountType
from apps.ledger.importers import Row, read, refuse
from apps.ledger.models import ChartLine
from apps.ledger.services import accounts, charts, refusals

COLUMNS = ("code", "name", "type", "parent", "role", "heading")
YES_NO = {"yes": True, "no": False, "": False}


class ChartChanged(errors.DomainError):
    """The file would do something else to the chart now than was shown; nothing was done."""

    code = "ledger_chart_changed"
    title = "Chart changed since the preview"


@dataclass(frozen=True, slots=True)
class Change:
    """What an import does to one line: it is added, renamed or moved; ``after`` says all that an added line will be."""

    row: int
    code: str
    change: str
    before: str
    after: str


def as_csv() -> str:
    """Return the chart as CSV, in the order of its codes."""
    target = io.StringIO()
    csv.writer(target).writerows([COLUMNS, *_written()])
    return target.getvalue()


def as_xlsx() -> bytes:
    """Return the chart as a workbook of one sheet, every cell a text."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Chart of accounts")
    for cells in [COLUMNS, *_written()]:
        sheet.append(list(cells))
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def plan(*, content: bytes) -> list[Change]:
    """
    Return what an import of this file would do; nothing is written.

    Lines that the file leaves out stay. Raises FileInvalid with every problem: a code twice, an unknown type, role or
    parent, another type, role or heading than a line has, a heading below itself.
    """
    return _planned(read(content, columns=COLUMNS))


def fingerprint(changes: Sequence[Change]) -> str:
    """Return the hash of what somebody was shown before he takes a file over."""
    shown = [[own.row, own.code, own.change, own.before, own.after] for own in changes]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()


@transaction.atomic
def take_over(
    *, content: bytes, actor: Actor, now: datetime, reason: str = "", shown: str | None = None
) -> list[Change]:
    """
    Do what ``plan`` says, all of it or nothing, and return it.

    ``shown`` is the fingerprint of what somebody has looked at, None where nobody has. Raises as ``plan``, ChartChanged
    where it would do something else now, and LineInvalid where two lines share numbers.
    """
    locks.advisory("ledger:chart")
    rows = read(content, columns=COLUMNS)
    changes = _planned(rows)
    if shown is not None and shown != fingerprint(changes):
        raise ChartChanged("The chart has changed since the preview. Nothing was done: look at it again.")
    by_code = {row.cells["code"]: row for row in rows}
    lines = {line.code: line for line in ChartLine.objects.all()}
    added = {change.code for change in changes if change.change == "added"}
    for code in _parents_first(added, by_code):
        lines[code] = _made(by_code[code], lines)
    for change in changes:
        line = lines[change.code]
        if change.change == "renamed":
            line.name = change.after
            line.save(update_fields=["name"])
        elif change.change == "moved":
            line.parent = lines[change.after] if change.after else None
            with refusals.translated():
                line.save(update_fields=["parent"])
    if changes:
        records.write(
            action="chart.imported",
            object_type=accounts.LINE_OBJECT,
            object_id="chart",
            actor=actor,
            now=now,
            reason=reason,
            changes={change.code: [change.before, change.after] for change in changes},
        )
    return changes


def _written() -> Iterator[tuple[str, ...]]:
    for line in ChartLine.objects.select_related("parent").order_by("code"):
        yield (
            line.code,
            line.name,
            line.type.lower(),
            line.parent.code if line.parent else "",
            line.role.lower() if line.role else "",
            "yes" if line.is_heading else "no",
        )


def _planned(rows: Sequence[Row]) -> list[Change]:
    stored = {line.code: line for line in ChartLine.objects.select_related("parent")}
    parents = {code: line.parent.code if line.parent else "" for code, line in stored.items()}
    kinds = {code: (line.type, line.is_heading) for code, line in stored.items()}
    for row in rows:
        parents[row.cells["code"]] = row.cells["parent"]
        heading = YES_NO.get(row.cells["heading"].lower(), False)
        kinds.setdefault(row.cells["code"], (row.cells["type"].upper(), heading))
    problems: list[FieldError] = []
    seen: set[str] = set()
    for row in rows:
        problems += _row_problems(row, seen, stored.get(row.cells["code"]))
        problems += _parent_problems(row, parents, kinds)
        seen.add(row.cells["code"])
    problems += _role_problems(rows, stored)
    refuse(problems)
    return [change for row in rows for change in _changes(row, stored.get(row.cells["code"]))]


def _row_problems(row: Row, seen: set[str], line: ChartLine | None) -> Iterator[FieldError]:
    cells = row.cells
    for column, check in (("code", charts.checked_code), ("name", charts.checked_name)):
        try:
            check(cells[column])
        except refusals.LineInvalid as wrong:
            yield row.wrong(column, wrong.detail)
    if cells["code"] in seen:
        yield row.wrong("code", f"{cells['code']} stands in the file twice.", "duplicate")
    if cells["type"].upper() not in AccountType:
        yield row.wrong("type", f"one of {', '.join(kind.lower() for kind in AccountType)}.")
    if cells["heading"].lower() not in YES_NO:
        yield row.wrong("heading", "yes or no.")
    if line is not None:
        yield from _fixed_problems(row, line)


def _fixed_problems(row: Row, line: ChartLine) -> Iterator[FieldError]:
    facts = {"type": line.type, "role": line.role or "", "heading": "YES" if line.is_heading else "NO"}
    for column, fact in facts.items():
        said = row.cells[column].upper() or ("NO" if column == "heading" else "")
        if said != fact:
            yield row.wrong(column, f"the line has {fact.lower() or 'none'}, which stays.", "fixed")


def _parent_problems(
    row: Row, parents: dict[str, str], kinds: dict[str, tuple[str, bool]]
) -> Iterator[FieldError]:
    parent = row.cells["parent"]
    if not parent:
        return
    if kinds.get(parent) != (row.cells["type"].upper(), True):
        yield row.wrong("parent", f"{parent} is no heading of the same type.")
    above, steps = parent, 0
    while above and above != row.cells["code"] and steps <= len(parents):
        above, steps = parents.get(above, ""), steps + 1
    if above:
        yield row.wrong("parent", "the heading stands below itself.", "cycle")


def _role_problems(rows: Sequence[Row], stored: dict[str, ChartLine]) -> Iterator[FieldError]:
    """Roles of new lines: known, of their type, once in the chart, and none of a heading."""
    taken = {line.role for line in stored.values() if line.role}
    for row in rows:
        role = row.cells["role"].upper()
        if not role or row.cells["code"] in stored:
            continue
        known = CHART.get(AccountRole(role)) if role in AccountRole else None
        if known is None or known.type != row.cells["type"].upper() or row.cells["heading"].lower() == "yes":
            yield row.wrong("role", f"{role.lower()} is no role of such a line.")
        elif role in taken:
            yield row.wrong("role", f"{role.lower()} has a line already.", "duplicate")
        taken.add(role)


def _changes(row: Row, line: ChartLine | None) -> Iterator[Change]:
    cells = row.cells
    if line is None:
        yield Change(row.number, cells["code"], "added", "", _described(cells))
        return
    if line.name != cells["name"]:
        yield Change(row.number, line.code, "renamed", line.name, cells["name"])
    before = line.parent.code if line.parent else ""
    if before != cells["parent"]:
        yield Change(row.number, line.code, "moved", before, cells["parent"])


def _described(cells: Mapping[str, str]) -> str:
    """Return all that a new line will be, in the words of the file: what is shown of it is what is done."""
    facts = [cells["type"].lower()]
    if cells["parent"]:
        facts.append(f"below {cells['parent']}")
    if cells["role"]:
        facts.append(f"role {cells['role'].lower()}")
    if YES_NO[cells["heading"].lower()]:
        facts.append("heading")
    return f"{cells['name']} ({', '.join(facts)})"


def _parents_first(codes: set[str], by_code: dict[str, Row]) -> Iterator[str]:
    """Yield the codes so that each heading comes before what stands below it; there is no cycle among them."""
    waiting = sorted(codes)
    while waiting:
        ready = [code for code in waiting if by_code[code].cells["parent"] not in waiting]
        yield from ready
        waiting = [code for code in waiting if code not in ready]


def _made(row: Row, lines: dict[str, ChartLine]) -> ChartLine:
    cells = row.cells
    role = AccountRole(cells["role"].upper()) if cells["role"] else None
    known = CHART[role] if role else None
    made = ChartLine(
        code=cells["code"],
        name=cells["name"],
        type=cells["type"].upper(),
        parent=lines[cells["parent"]] if cells["parent"] else None,
        is_heading=YES_NO[cells["heading"].lower()],
        role=role.value if role else None,
        width=known.width if known else 1,
        shards=known.shards if known else 1,
    )
    with refusals.translated():
        made.save(force_insert=True)
    return made
