"""The simulation of the whole system: it finds nothing, repeats itself, finds what is planted, and knows what exists."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django_fsm import FSMFieldMixin

from apps.simulator.services import faults
from tests.simulation import coverage, planted

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 200
SECONDS = 40
SOON = 20
QUICK_BUGS = ("06-fee-booked-twice", "27-dispute-fee-at-each-step")


def play(*arguments: str) -> list[dict[str, Any]]:
    """Play seeds in a process of their own, against the servers of this run; return how each went."""
    played = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--jobs", "1", "--json", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert played.returncode == 0, played.stderr
    return list(json.loads(played.stdout))


def test_finds_nothing_and_a_seed_repeats_itself(django_db_setup, capsys):
    """The first seed is played by a second process too: no memory of the first helps it to the same hash."""
    played = play("--stop", "--seeds", str(SEEDS), "--within", str(SECONDS))
    again = play("--seed", str(played[0]["seed"]))

    with capsys.disabled():
        sys.stdout.write(f"\n  {len(played)} seeds, {sum(one['events'] for one in played)} events\n")
    found = [one for one in played if one["problems"]]
    assert not found, json.dumps(found, indent=1)
    assert again[0]["digest"] == played[0]["digest"]


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


def test_every_fault_of_the_simulator_is_ordered_by_a_script_or_says_why_not():
    assert set(faults.ACTIONS) == coverage.ordered() | set(coverage.NOT_SCRIPTED)
    assert not coverage.ordered() & set(coverage.NOT_SCRIPTED)


def test_every_exception_from_coverage_names_a_transition_that_exists():
    every = {name for model in coverage.MODELS for name in coverage.transitions(model)}

    assert set(coverage.NOT_YET) <= every
