"""The order of the files that two workers share out: what takes long begins first, so that neither waits for the other."""

from pathlib import PurePath

import pytest

LONGEST = (
    "deploy/test_image_steps.py",
    "simulation/test_simulation.py",
    "scripts/test_bench.py",
    "contract/test_contract.py",
    "ledger/test_survive_kills.py",
    "isolation/test_portal_rows.py",
    "demo/test_play_month.py",
    "ledger/test_refuse_hostile_input.py",
    "fuzz/test_api_description.py",
    "payments/test_request_refund.py",
    "portal/test_ledger_downloads.py",
    "operations/test_use_commands.py",
    "operations/test_every_verb.py",
    "isolation/test_refuse_strangers.py",
    "isolation/test_api_rows.py",
    "isolation/test_keep_twins_apart.py",
    "isolation/test_platform_rows.py",
    "scripts/test_certify.py",
    "approvals/test_random_histories.py",
    "audit/test_record_everything.py",
    "ledger/test_balances_at_a_date.py",
    "payments/test_record_refund.py",
    "tenancy/test_set_up_in_background.py",
    "browser/test_accessibility.py",
    "flows/test_faults.py",
    "browser/test_main_job.py",
    "flows/test_demo_month.py",
    "browser/test_write_journal.py",
    "flows/test_long_jobs.py",
    "browser/test_approvals.py",
)
"""
Below tests/, by what each was seen to take; the others follow as they are found.

The first one makes a folder for a minute before it wants a database: meanwhile the other worker has made the schemas, which
all that begin a treasury of their own take over.
"""


def sort(items: list[pytest.Item]) -> None:
    """Put the tests of these files first, each file whole and in its own order."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(_below_tests(item), len(LONGEST)))


def _below_tests(item: pytest.Item) -> str:
    return str(PurePath(*item.path.parts[-2:]).as_posix())
