"""
Makes the organisation and the accounts that the ledger bench posts to; run by .venv's Python as the owner role.

Arguments: the file to write to, as JSON, which accounts there are; and how many there are to be on each side.
"""

import json
import sys
from pathlib import Path

import django

django.setup()

from apps.access.services import branches  # noqa: E402 (Django must be set up first)
from apps.kit import clock, ids  # noqa: E402
from apps.kit.actors import SYSTEM  # noqa: E402
from apps.ledger.contracts import AccountRef, AccountRole  # noqa: E402
from apps.ledger.models import ChartLine  # noqa: E402
from apps.ledger.services import accounts  # noqa: E402
from treasury import onboarding  # noqa: E402

SLUG, CURRENCY = "bench", "KES"
SHARDS = 16


def main(output: Path, count: int) -> None:
    """So many assets and liabilities, opened in this order, so that their numbers run on without a gap; one with shards."""
    organisation = onboarding.prepare(slug=SLUG, name="Bench", is_test=True, now=clock.now())
    now = clock.now()
    branch = branches.create(code="BEN", name="Bench", is_head_office=True, actor=SYSTEM, now=now)
    owners = [str(ids.new()) for _ in range(count)]
    opened = {
        role: [
            accounts.ensure(
                ref=AccountRef(AccountRole[role], CURRENCY, branch.id, owner_id=owner), now=now
            ).id
            for owner in owners
        ]
        for role in ("PROVIDER_BALANCE", "UNAPPLIED_COLLECTIONS")
    }
    ChartLine.objects.create(
        code="2150",
        name="Suspense",
        type="LIABILITY",
        is_heading=False,
        role="SUSPENSE",
        width=1,
        shards=SHARDS,
    )
    sharded = accounts.ensure(ref=AccountRef(AccountRole.SUSPENSE, CURRENCY, branch.id), now=now)
    facts = {
        "schema": organisation.schema_name,
        "branch": str(branch.id),
        "owners": owners,
        "accounts": opened,
        "sharded": sharded.id,
    }
    output.write_text(json.dumps(facts), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
