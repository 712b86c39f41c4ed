"""The verdict on a ledger: every invariant in turn."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from django.db import connection

from apps.kit.patience import long_statements
from apps.ledger.services.verification import (
    balances,
    currencies,
    holds,
    installation,
    movements,
    periods,
    seals,
)
from apps.ledger.services.verification.invariants import FINDINGS_MAX, Finding

COUNTS = """
    SELECT (SELECT count(*) FROM ledger_transaction), (SELECT count(*) FROM ledger_entry),
      (SELECT count(*) FROM ledger_account)"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification saw; ``findings`` holds at most 20 rows of each invariant, the first ones first."""

    transactions: int
    entries: int
    accounts: int
    findings: tuple[Finding, ...]

    @property
    def is_clean(self) -> bool:
        return not self.findings


@long_statements("6h")
def verify(*, progress: Callable[[str], None] | None = None, since_seal: int = 1) -> Verdict:
    """
    Recompute every invariant of the present organisation. Reads every entry and takes no lock.

    ``progress`` is told now and then how far a long one has come. Seals before ``since_seal`` are believed, for who has
    verified them before and kept that seal's hash.
    """
    with connection.cursor() as cursor:
        cursor.execute(COUNTS)
        transactions, entries, accounts = cursor.fetchone()
    searches: list[Iterator[Finding]] = [
        *balances.searches(),
        movements.search(),
        periods.search(),
        holds.search(),
        seals.search(progress or _unheard, since=since_seal),
        currencies.search(),
        installation.search(),
    ]
    found = [finding for search in searches for finding in islice(search, FINDINGS_MAX)]
    return Verdict(transactions, entries, accounts, tuple(found))


def _unheard(_: str) -> None:
    """Nobody asked how far it has come."""
