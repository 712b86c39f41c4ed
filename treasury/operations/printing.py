"""What people and programs read: a table with a sentence, or one JSON object."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TextIO
from uuid import UUID

from apps.kit import errors
from apps.kit.money import Money
from treasury.operations.calls import Report, Row
from treasury.operations.parsing import Asked
from treasury.operations.verbs import Verb

WIDEST = 60
WIDEST_AT_THE_END = 300
GAP = "  "
DRY = "Dry run, nothing was changed. It would be:"


def show(asked: Asked, report: Report, *, out: TextIO) -> None:
    """Print what came of a command."""
    if asked.is_json:
        _print_json(out, _document(asked, report))
        return
    documents = [answer.document for _, answer in report.answers if answer.document]
    if documents:
        out.writelines(f"{document}\n" for document in documents)
        return
    out.writelines(f"{line}\n" for line in table(report.rows))
    if report.is_dry:
        out.write(f"{DRY}\n")
    out.writelines(f"{sentence}\n" for sentence in report.sentences)
    out.writelines(
        f"  {record['action']} {record['object']}{_difference(record['changes'])}\n"
        for record in report.records
    )


def refuse(asked: Asked, refusal: errors.DomainError, *, out: TextIO, err: TextIO) -> None:
    """Print why nothing was done: one sentence that names the argument it is about."""
    arguments = named(asked, refusal)
    if asked.is_json:
        error = {"code": refusal.code, "message": refusal.detail, "arguments": list(arguments)}
        _print_json(out, {**_head(asked), "is_refused": True, "error": error})
        return
    about = ", ".join(f"{name} {value}" for name, value in arguments.items())
    err.write(
        f"Refused ({refusal.code}): {about}: {refusal.detail}\n" if about else f"Refused: {refusal.detail}\n"
    )


def refuse_start(message: str, *, code: str, is_json: bool, out: TextIO, err: TextIO) -> None:
    """Print why no command was begun: its words, the settings, or the database."""
    if is_json:
        error = {"code": code, "message": message, "arguments": []}
        _print_json(out, {"command": None, "tenant": None, "is_refused": True, "error": error})
    else:
        err.write(f"Refused: {message}\n")


def named(asked: Asked, refusal: errors.DomainError) -> dict[str, str]:
    """Return the arguments that a refusal is about, as they are written: those of its fields, else the positional ones."""
    fields = {error.pointer.strip("/") for error in refusal.errors} & set(asked.given)
    by_name = {name: _as_written(asked.verb, name) for name in sorted(fields)}
    if not by_name:
        by_name = {argument.key: argument.metavar for argument in asked.verb.positionals}
    if not by_name and asked.tenant:
        by_name = {"tenant": "--tenant"}
    return {shown: str(asked.given[name]) for name, shown in by_name.items() if asked.given[name] is not None}


def table(rows: Sequence[Row]) -> list[str]:
    """Return rows as lines under their column names; what is a number or money stands to the right."""
    if not rows:
        return []
    columns = list(rows[0])
    widest = {columns[-1]: WIDEST_AT_THE_END}
    cells = [[_text(row[column], widest.get(column, WIDEST)) for column in columns] for row in rows]
    is_right = [all(_is_number(row[column]) for row in rows) for column in columns]
    heads = [column.replace("_", " ").upper() for column in columns]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    return [
        GAP.join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, is_right, strict=True)
        ).rstrip()
        for line in [heads, *cells]
    ]


def _as_written(verb: Verb, name: str) -> str:
    own = {argument.key: argument for argument in verb.arguments}.get(name)
    if own is None or own.is_option:
        return f"--{name.replace('_', '-')}"
    return own.metavar


def _document(asked: Asked, report: Report) -> dict[str, object]:
    return {
        **_head(asked),
        "is_refused": False,
        "is_dry_run": report.is_dry,
        "is_wrong": report.is_wrong,
        "messages": report.sentences,
        "rows": report.rows,
        "records": report.records,
    }


def _head(asked: Asked) -> dict[str, object]:
    return {"command": asked.name, "tenant": asked.tenant}


def _print_json(out: TextIO, document: Mapping[str, object]) -> None:
    out.write(f"{json.dumps(document, default=_plain, ensure_ascii=False)}\n")


def _plain(value: object) -> object:
    if isinstance(value, Money):
        return value.wire()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be printed")


def _is_number(value: object) -> bool:
    return isinstance(value, int | Decimal | Money) and not isinstance(value, bool)


def _text(value: object, widest: int = WIDEST) -> str:
    """Return a cell for people: one line, no longer than it can be read beside others."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
    if isinstance(value, list | tuple):
        return _text(", ".join(map(str, value)), widest)
    text = " ".join(str(value).split())
    return text if len(text) <= widest else f"{text[: widest - 1]}…"


def _difference(changes: object) -> str:
    if not isinstance(changes, Mapping) or not changes:
        return ""
    parts = [
        f"{name}: {_text(after)}" if before is None else f"{name}: {_text(before)} -> {_text(after)}"
        for name, (before, after) in changes.items()
    ]
    return f" ({'; '.join(parts)})"
