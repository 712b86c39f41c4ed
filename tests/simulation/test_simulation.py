"""The simulation of the whole system: it finds nothing, repeats itself, finds what is planted, and knows what exists."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django_fsm import FSMFieldMixin

from tests.simulation import coverage, planted

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 200
SECONDS = 60
SOON = 20
QUICK_BUGS = ("06-fee-booked-twice", "08-callback-not-announced", "22-exchange-rounded-up")


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the simulation in a process of its own, as script/simulate does, against the servers of this run."""
    return subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--jobs", "1", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_finds_nothing(django_db_setup, capsys):
    played = simulate("--seeds", str(SEEDS), "--within", str(SECONDS))

    with capsys.disabled():
        sys.stdout.write(f"\n  {played.stdout.splitlines()[-1] if played.stdout else played.stderr}\n")
    assert played.returncode == 0, played.stdout + played.stderr


def test_a_seed_repeats_itself(django_db_setup):
    told = [re.search(r"hash ([0-9a-f]{64})", simulate("--seed", "3").stdout) for _ in range(2)]

    assert told[0] is not None
    assert told[1] is not None
    assert told[0][1] == told[1][1]


@pytest.mark.parametrize("name", QUICK_BUGS)
def test_finds_a_planted_bug(django_db_setup, name):
    assert planted.find(name, seeds=SOON) is not None


@pytest.mark.parametrize("name", planted.names())
def test_every_planted_bug_still_fits_the_code(name):
    patch = planted.BUGS / f"{name}.patch"

    checked = subprocess.run(
        ["git", "apply", "--check", str(patch)], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, f"make the patch anew, see docs/simulation.md: {checked.stderr}"


def test_there_are_ten_bugs_or_more():
    assert len(planted.names()) >= 10


def test_every_state_machine_is_counted_or_says_why_not():
    machines = {
        model.__name__
        for model in apps.get_models()
        if any(isinstance(field, FSMFieldMixin) for field in model._meta.concrete_fields)
    }

    counted = {model.__name__ for model in coverage.MODELS}
    assert machines == counted | set(coverage.NOT_PLAYED)
    assert not counted & set(coverage.NOT_PLAYED)


def test_every_exception_from_coverage_names_a_transition_that_exists():
    every = {name for model in coverage.MODELS for name in coverage.transitions(model)}

    assert set(coverage.NOT_YET) <= every
