"""What a bench was asked for and what it found: a table for people, reasons why it is red, one JSON line for machines."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

NOTHING_MEASURED = 3600.0
SHARES = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99}


@dataclass(frozen=True)
class Wish:
    """How to run: in short, for how long, and spoilt by what (only the tests spoil a run)."""

    is_quick: bool = False
    seconds: float | None = None
    plants: tuple[str, ...] = ()


@dataclass
class Report:
    """The first row of the table holds its titles; every reason in ``red`` makes the bench fail."""

    bench: str
    is_quick: bool
    table: list[list[str]] = field(default_factory=list)
    keys: dict[str, Any] = field(default_factory=dict)
    red: list[str] = field(default_factory=list)

    def require(self, is_so: bool, otherwise: str) -> None:  # noqa: FBT001 (reads as a sentence)
        """Turn red, for this reason, unless it is so."""
        if not is_so:
            self.red.append(otherwise)

    def lines(self) -> list[str]:
        """The table, the verdict, and as the last line one JSON object."""
        shown = ["", *columns(self.table), ""]
        shown += [f"  RED: {reason}" for reason in self.red] or [
            "  Green: nothing lost, nothing doubled, all in balance."
        ]
        return [
            *shown,
            json.dumps({"bench": self.bench, "quick": self.is_quick, **self.keys, "red": self.red}),
        ]


def columns(table: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines: the first column to the left, figures to the right."""
    if not table:
        return []
    widths = [max(len(row[number]) for row in table) for number in range(len(table[0]))]
    return [
        "  "
        + "  ".join(
            [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
        )
        for row in table
    ]


def percentiles(latencies: Sequence[float]) -> dict[str, float]:
    """
    P50, P95 and P99 in milliseconds by nearest rank: a value that was measured, never one in between.

    Nothing measured is an hour: slower than any bar, and still a number for JSON.
    """
    ordered = sorted(latencies) or [NOTHING_MEASURED]
    return {
        name: round(ordered[max(0, math.ceil(share * len(ordered)) - 1)] * 1000, 1)
        for name, share in SHARES.items()
    }
