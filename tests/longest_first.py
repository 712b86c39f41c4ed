"""The order of the files that two workers share out: what takes long begins first, so that neither waits for the other."""

from pathlib import PurePath

import pytest

LONGEST = (
    "scripts/test_bench.py",
    "simulation/test_simulation.py",
    "deploy/test_image_steps.py",
    "fuzz/test_api_description.py",
    "ledger/test_survive_kills.py",
    "isolation/test_portal_rows.py",
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
    "flows/test_faults.py",
    "flows/test_demo_month.py",
    "flows/test_long_jobs.py",
    "browser/test_accessibility.py",
)
"""Below tests/, by what each was seen to take; the others follow as they are found."""


def sort(items: list[pytest.Item]) -> None:
    """Put the tests of these files first, each file whole and in its own order."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(_below_tests(item), len(LONGEST)))


def _below_tests(item: pytest.Item) -> str:
    return str(PurePath(*item.path.parts[-2:]).as_posix())
