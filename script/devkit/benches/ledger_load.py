"""
One connection that posts through the ledger's service as fast as it can; run by .venv's Python as the application role.

Reads one job a line (JSON: work, accounts, each, at, seconds, delay), answers each with one line of how many were booked.
"""

import json
import random
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import django

django.setup()

from apps.kit import clock, errors, ids  # noqa: E402 (Django must be set up first)
from apps.kit import schema as present  # noqa: E402
from apps.kit.actors import SYSTEM  # noqa: E402
from apps.kit.money import Money  # noqa: E402
from apps.ledger.contracts import AccountRef, AccountRole, Draft, Leg, credit, debit  # noqa: E402
from apps.ledger.services import journals  # noqa: E402
from apps.tenancy.selectors import organisations  # noqa: E402

CURRENCY = "KES"


class Load:
    """Draws the accounts of each posting: all over them, or always the same one to credit."""

    def __init__(self, setup: dict[str, Any]) -> None:
        branch = UUID(setup["branch"])
        assets, liabilities = (
            [AccountRef(role, CURRENCY, branch, owner_id=UUID(owner)) for owner in setup["owners"]]
            for role in (AccountRole.PROVIDER_BALANCE, AccountRole.UNAPPLIED_COLLECTIONS)
        )
        self.assets, self.liabilities = assets, liabilities

    def run(self, job: dict[str, Any]) -> dict[str, Any]:
        """Post from the instant ``at`` for so many seconds; a refusal is counted, anything else ends the process."""
        time.sleep(max(0.0, job["at"] - time.time()))
        end = time.monotonic() + job["seconds"]
        booked, refused = 0, []
        while time.monotonic() < end:
            time.sleep(job["delay"])
            try:
                drafts = [self._draft(job) for _ in range(job["each"])]
                booked += len(journals.post_batch(drafts=drafts, actor=SYSTEM, now=clock.now()))
            except errors.DomainError as refusal:
                refused.append(refusal.code)
        return {"booked": booked, "refused": refused}

    def _draft(self, job: dict[str, Any]) -> Draft:
        liabilities = self.liabilities[:1] if job["accounts"] == "hot" else self.liabilities
        number = ids.new()
        legs: tuple[Leg, ...]
        if job["work"] != "post":
            money = Money(100, CURRENCY)
            legs = (debit(random.choice(self.assets), money), credit(random.choice(liabilities), money))  # noqa: S311
        else:
            one, two = random.sample(self.assets, 2)
            three, four = random.sample(self.liabilities, 2)
            legs = (
                debit(one, Money(70, CURRENCY)),
                debit(two, Money(30, CURRENCY)),
                credit(three, Money(60, CURRENCY)),
                credit(four, Money(40, CURRENCY)),
            )
        return Draft(
            key=f"bench:{number}", description="Bench", source_type="bench", source_id=number, legs=legs
        )


def main(setup: dict[str, Any]) -> None:
    """Say that it is ready, then work off what comes."""
    organisation = organisations.ready_by_slug("bench")
    present.enter(organisation)
    load = Load(setup)
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(load.run(json.loads(line))), flush=True)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
