"""The invariants by name, and what was found to break one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from django.db import connection

FINDINGS_MAX = 20
"""So many rows of each invariant are named."""


class Invariant(StrEnum):
    """What must be true of every ledger at every moment."""

    BALANCED = "I1"
    TOTALS = "I2"
    CHAINED = "I3"
    TRIAL_BALANCE = "I4"
    LIMITS = "I5"
    MOVEMENTS = "I6"
    PERIODS = "I7"
    HOLDS = "I8"
    SEALS = "I9"
    CURRENCIES = "I10"
    INSTALLATION = "I11"


HOLD = "I1 to I11 hold"
"""What is said of a ledger that breaks none."""

MEANINGS: Mapping[Invariant, str] = MappingProxyType(
    {
        Invariant.BALANCED: "every transaction has all its legs and balances per currency and layer",
        Invariant.TOTALS: "every balance row is the sum of its entries",
        Invariant.CHAINED: "versions run from 1 without gaps and every running balance follows from the one before",
        Invariant.TRIAL_BALANCE: "the trial balance of every currency is zero",
        Invariant.LIMITS: "nothing moved an account past its limits since they were set",
        Invariant.MOVEMENTS: "every day's movements are its sealed entries, and every entry has its transaction's date",
        Invariant.PERIODS: "every checkpoint is the one before and what moved since, and nothing came into a closed period",
        Invariant.HOLDS: "what is left of every hold is what its pending entries hold",
        Invariant.SEALS: "every transaction is what was sealed, and every seal follows from its leaves and the one before",
        Invariant.CURRENCIES: "every position has its cost, no cost is without one, and every revaluation was taken back next day",
        Invariant.INSTALLATION: "triggers, functions and privileges of this schema are those of this build",
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One row that breaks an invariant: which row, and what is wrong with it."""

    invariant: Invariant
    row: str
    problem: str

    def __str__(self) -> str:
        return f"{self.invariant} broken: {self.row}: {self.problem}"


def asked(invariant: Invariant, query: str, values: Mapping[str, Any] | None = None) -> Iterator[Finding]:
    """Yield what a query finds, which returns (row, problem) and sees one snapshot: bookings go on meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        rows = cursor.fetchall()
    yield from (Finding(invariant, row, problem) for row, problem in rows)
