"""The workflow of the repository: it runs what .ci/run runs, on what the project claims, with nothing that moves."""

import re
import tomllib
from importlib import metadata
from typing import Any

import pytest
import yaml
from django.conf import settings
from packaging.requirements import Requirement

from script.devkit import checks, packages, virtualenv

ROOT = settings.BASE_DIR
TEXT = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
WORKFLOW: dict[Any, Any] = yaml.safe_load(TEXT)
JOB = WORKFLOW["jobs"]["test"]
MATRIX = JOB["strategy"]["matrix"]
PINNED = re.compile(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


def claimed(prefix: str) -> list[str]:
    """Return the versions that pyproject.toml claims by a classifier."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = [name.removeprefix(prefix) for name in project["classifiers"] if name.startswith(prefix)]
    return [version for version in found if re.fullmatch(r"\d+\.\d+", version)]


def runs() -> list[str]:
    return [step["run"] for step in JOB["steps"] if "run" in step]


def test_runs_on_every_python_and_django_that_is_claimed():
    assert MATRIX["python"] == claimed("Programming Language :: Python :: ")
    assert MATRIX["django"] == claimed("Framework :: Django :: ") == list(virtualenv.SETS)
    assert set(MATRIX) == {"python", "django"}


def test_requires_the_oldest_python_of_the_matrix():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["requires-python"] == f">={MATRIX['python'][0]}"


@pytest.mark.parametrize(("django", "file"), virtualenv.SETS.items())
def test_each_django_has_a_locked_set(django, file):
    locked = re.search(r"^django==(\d+\.\d+)", file.read_text(encoding="utf-8"), re.MULTILINE)

    assert locked is not None
    assert locked[1] == django


def test_every_set_locks_the_same_packages_but_for_django():
    """Whoever locks one anew must lock the others, too."""
    locked = [
        dict(
            re.findall(
                r"^([a-z0-9.-]+)(?:\[[\w,-]+\])?==(\S+)", file.read_text(encoding="utf-8"), re.MULTILINE
            )
        )
        for file in virtualenv.SETS.values()
    ]
    differ = {name for name in locked[0] | locked[1] if locked[0].get(name) != locked[1].get(name)}

    assert differ == {"django"}


def test_no_package_here_refuses_the_django_that_is_installed():
    """A set is locked with its own Django, past what other packages ask for; so it is asked here whether they would take it."""
    django = metadata.version("django")
    refused = {
        distribution.name: str(requirement)
        for distribution in metadata.distributions()
        for requirement in map(Requirement, distribution.requires or [])
        if requirement.name.lower() == "django" and not requirement.specifier.contains(django)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    }

    assert refused == {}


def test_runs_the_command_of_the_local_ci_and_nothing_else():
    system, tests = runs()
    local = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()

    assert tests == ".ci/run"
    assert local[-1] == "exec script/test"
    assert system.split("--no-install-recommends ")[1].split() == [*packages.PANGO_DEBIAN, packages.HLEDGER]


def test_chooses_python_and_django_by_the_variables_of_the_commands():
    (step,) = [step for step in JOB["steps"] if step.get("run") == ".ci/run"]

    assert step["env"] == {
        "TREASURY_PYTHON": "${{ steps.python.outputs.python-path }}",
        "TREASURY_DJANGO": "${{ matrix.django }}",
    }


def test_may_only_read_ends_in_time_and_pins_what_it_uses():
    used = [line.strip().removeprefix("- ") for line in TEXT.splitlines() if "uses:" in line]

    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert JOB["timeout-minutes"] <= 90
    assert WORKFLOW["concurrency"]["group"]
    assert [line for line in used if not PINNED.fullmatch(line)] == []
    assert "secrets." not in TEXT


def test_its_schema_is_one_of_the_checks():
    (check,) = [check for check in checks.CHECKS if check.title == "workflow"]

    assert check.command[-1] == ".github/workflows/ci.yml"
