"""What a file of rows is made of, and the guard that keeps a text from becoming a formula."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import TracebackType
from typing import Protocol, Self

from apps.kit.money import Money

type Cell = str | int | Money | datetime | date | None

FORMULA_SIGNS = ("=", "+", "-", "@", "\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH PLUS SIGN}",
                 "\N{FULLWIDTH HYPHEN-MINUS}", "\N{FULLWIDTH COMMERCIAL AT}", "\N{MINUS SIGN}")  # fmt: skip
FORMULA_STARTS = (*FORMULA_SIGNS, "\t", "\r", "\n")
INVISIBLE = " \N{NO-BREAK SPACE}\N{ZERO WIDTH SPACE}\N{ZERO WIDTH NO-BREAK SPACE}"
SPLIT_FORMULA = re.compile(rf"([;\t\r\n][{INVISIBLE}\"]*)(?=[{re.escape(''.join(FORMULA_SIGNS))}])")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class About:
    """What a file says of itself before its rows: where it comes from, what was asked for, and what it must add up to."""

    title: str
    facts: tuple[tuple[str, Cell], ...]
    totals: tuple[tuple[str, Money], ...]


class Writer(Protocol):
    """Writes what the file says of itself, the heads, and then one row after another, in constant memory."""

    def write(self, cells: Sequence[Cell]) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def safe(text: str) -> str:
    """
    Return a text that no spreadsheet reads as a formula: an apostrophe goes before what could start one.

    Characters that a file cannot hold are replaced. Names and references are written by strangers.
    """
    text = CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
    return f"'{text}" if text.lstrip(INVISIBLE).startswith(FORMULA_STARTS) else text


def safe_when_split(text: str) -> str:
    """
    Return a text that stays ``safe`` where a spreadsheet splits lines in another way than at our commas.

    Many read a file of commas by semicolons or tabs; then quotes within a line are ordinary and a line break ends it.
    """
    return SPLIT_FORMULA.sub(r"\1'", safe(text))
