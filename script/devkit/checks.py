"""The checks that need no test: style, types, import contracts, migrations, the API description."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from script.devkit import processes
from script.devkit.folders import ROOT, VENV
from script.devkit.steps import TITLE_WIDTH, say

SLOWEST = "mypy"
HADOLINT = VENV / "bin" / "hadolint"
OPENAPI_TITLE = "OpenAPI description"
OPENAPI = ROOT / "docs" / "openapi.yaml"


@dataclass(frozen=True)
class Check:
    """One check: a command, and what to do when it fails."""

    title: str
    command: list[str]
    mend: str = ""


@dataclass(frozen=True)
class Failure:
    """A check that failed, with everything that it wrote."""

    check: Check
    output: str


CHECKS = [
    Check("ruff check", [str(VENV / "bin" / "ruff"), "check", "."], ".venv/bin/ruff check --fix ."),
    Check("ruff format", [str(VENV / "bin" / "ruff"), "format", "--check", "."], ".venv/bin/ruff format ."),
    Check("mypy", [str(VENV / "bin" / "mypy")]),
    Check(
        "workflow",
        [
            str(VENV / "bin" / "check-jsonschema"),
            "--builtin-schema",
            "vendor.github-workflows",
            ".github/workflows/ci.yml",
        ],
    ),
    Check("import contracts", [str(VENV / "bin" / "lint-imports"), "--no-logo"]),
    Check("system checks", processes.manage("check", "--fail-level", "WARNING")),
    Check(
        "migrations",
        processes.manage("makemigrations", "--check", "--dry-run"),
        "script/console --owner makemigrations",
    ),
    Check("Dockerfile", [str(HADOLINT), "Dockerfile"]),
    Check(
        "Compose file",
        [
            str(VENV / "bin" / "check-jsonschema"),
            "--builtin-schema",
            "vendor.compose-spec",
            "deploy/compose.yaml",
        ],
    ),
]


def run_all(variables: Mapping[str, str]) -> list[Failure]:
    """Run every check, two at a time, each with its time on a line; return those that failed."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        possible = [check for check in CHECKS if check.command[0] != str(HADOLINT) or HADOLINT.exists()]
        slowest_first = sorted(
            possible, key=lambda check: check.title != SLOWEST
        )  # hadolint is for Linux on x86-64
        running = [
            pool.submit(_timed, check.title, partial(_run, check, variables)) for check in slowest_first
        ]
        running.append(pool.submit(_timed, OPENAPI_TITLE, partial(_compare_openapi, variables)))
    results = [check.result() for check in running]
    return [failure for failure in results if failure is not None]


def show(failures: list[Failure]) -> None:
    """Print what the failed checks wrote, and what mends them."""
    for failure in failures:
        say(f"\n{'-' * 10} {failure.check.title} {'-' * 10}\n{failure.output.strip()}")
        if failure.check.mend:
            say(f"  Mend it with:\n    {failure.check.mend}")


def _compare_openapi(variables: Mapping[str, str]) -> Failure | None:
    """The description made from the code, valid and without a warning, must be the one in docs/."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "openapi.yaml"
        command = processes.manage("spectacular", "--validate", "--fail-on-warn", "--file", str(made))
        check = Check(
            OPENAPI_TITLE, command, "script/console spectacular --validate --file docs/openapi.yaml"
        )
        failed = _run(check, variables)
        if failed or not made.is_file():
            return failed or Failure(check, "no description was made")
        kept = OPENAPI.read_text(encoding="utf-8") if OPENAPI.is_file() else ""
        if made.read_text(encoding="utf-8") == kept:
            return None
        return Failure(check, _difference(made))


def _difference(made: Path) -> str:
    if not OPENAPI.is_file():
        return f"{OPENAPI} does not exist"
    diff = shutil.which("diff")
    if diff is None:
        return f"{OPENAPI} is not what the code describes"
    shown = subprocess.run([diff, "-u", OPENAPI, made], check=False, capture_output=True, text=True).stdout
    return "\n".join([f"{OPENAPI} is not what the code describes:", *shown.splitlines()[:60]])


def _run(check: Check, variables: Mapping[str, str]) -> Failure | None:
    done = subprocess.run(
        check.command,
        check=False,
        cwd=ROOT,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Failure(check, done.stdout) if done.returncode else None


def _timed(title: str, work: Callable[[], Failure | None]) -> Failure | None:
    began = time.monotonic()
    failure = work()
    seconds = f"{time.monotonic() - began:6.1f} s{'   FAILED' if failure else ''}"
    say(f"  {title:.<{TITLE_WIDTH}} {seconds}")
    return failure
