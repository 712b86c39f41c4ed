"""
One process that books until its server dies, or repeats what it booked; run as a module with the bench's facts.

``book WORKER``: books transfers and batches without end and prints ``acked KEY ID`` once a call has returned. ``again``: reads
keys from standard input, books each again and prints ``told KEY ID IS_REPLAY``.
"""

import json
import sys
from itertools import count
from pathlib import Path
from uuid import UUID

import django

django.setup()

from django.db import Error, connection  # noqa: E402 (Django must be set up first)

from apps.kit import clock, errors  # noqa: E402
from apps.kit import schema as present  # noqa: E402
from apps.kit.actors import SYSTEM  # noqa: E402
from apps.kit.money import Money  # noqa: E402
from apps.ledger.contracts import AccountRef, AccountRole, Draft, credit, debit  # noqa: E402
from apps.ledger.services import journals  # noqa: E402
from apps.tenancy.selectors import organisations  # noqa: E402

ONE = Money(1, "KES")


class Load:
    """Drafts whose key alone says which accounts they move: a repetition is the same draft."""

    def __init__(self, facts: dict) -> None:
        self.branch, self.owners = UUID(facts["branch"]), [UUID(owner) for owner in facts["owners"]]

    def post(self, keys: list[str]) -> list[journals.Booked]:
        drafts = [self.draft(key) for key in keys]
        return journals.post_batch(drafts=drafts, actor=SYSTEM, now=clock.now())

    def draft(self, key: str) -> Draft:
        turn = int(key.rpartition(":")[2])
        debited = self.ref(AccountRole.PROVIDER_BALANCE, turn * 7)
        credited = self.ref(AccountRole.UNAPPLIED_COLLECTIONS, turn * 3)
        legs = (debit(debited, ONE), credit(credited, ONE))
        return Draft(key=key, description="Kill", source_type="test", source_id=self.branch, legs=legs)

    def ref(self, role: AccountRole, number: int) -> AccountRef:
        return AccountRef(role, "KES", self.branch, owner_id=self.owners[number % len(self.owners)])


def say(*words: object) -> None:
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


def again(load: Load) -> None:
    for line in sys.stdin:
        (booked,) = load.post([line.strip()])
        say("told", line.strip(), booked.id, booked.is_replay)


def book(load: Load, worker: str) -> None:
    """Book single ones and batches of ten in turn; stop at the second failure in a row: the server is gone."""
    failures = 0
    for turn in count(0, 10):
        keys = [f"kill:{worker}:{turn + n}" for n in range(10 if turn % 20 else 1)]
        say("sent", *keys)
        try:
            for key, booked in zip(keys, load.post(keys), strict=True):
                say("acked", key, booked.id)
            failures = 0
        except (Error, errors.DomainError):
            connection.close()
            failures += 1
            if failures > 1:
                return


if __name__ == "__main__":
    present.enter(organisations.ready_by_slug("bench"))
    found = Load(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    again(found) if sys.argv[2] == "again" else book(found, sys.argv[3])
