"""
script/test: checks and tests everything, against PostgreSQL and Valkey servers of its own.

Without a path: packages, servers, every check of script/lint, then all tests; the tests that drive
the running processes and a browser come last. With paths or pytest options only those go to pytest.
"""

import argparse
import signal
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from script.devkit import checks, environment, packages, slowest, system, virtualenv
from script.devkit.folders import PYTHON, ROOT
from script.devkit.postgres import binaries
from script.devkit.steps import say, step
from script.devkit.supervisor import Supervisor
from script.devkit.throwaway import prepare, throw_away_servers

DRIVING = ("tests/flows", "tests/browser")
WORKERS = "2"
PYTEST = [str(PYTHON), "-m", "pytest"]
NEEDS_BROWSER = "tests/browser"
NEEDS_WHEELS = "tests/deploy"


@dataclass(frozen=True)
class Outcome:
    """How one run of pytest ended."""

    code: int
    passed: int
    failed: int
    skipped: int


def main(arguments: list[str]) -> int:
    """Test all of it, or the paths and pytest options that are given; 0 when everything passed."""
    parser = argparse.ArgumentParser(
        prog="script/test",
        description=__doc__,
        usage="script/test [PATH...] [pytest options]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _, asked = parser.parse_known_args(arguments)
    began = time.monotonic()
    prepare()
    is_browser_needed = not asked or any(part.startswith(NEEDS_BROWSER) for part in asked)
    packages.ensure_for_tests(is_browser_needed=is_browser_needed)
    if not asked or any(part.startswith(NEEDS_WHEELS) for part in asked):
        with step("python packages of the image") as running:
            running.note = virtualenv.keep_wheels_of_image()
    with throw_away_servers() as (supervisor, own):
        variables = {**environment.base(programs=binaries()), **own, "TREASURY_CHROMIUM": packages.chromium()}
        if asked:
            return _pytest(asked, variables=variables)
        failures = checks.run_all(variables)
        outcomes = _all_tests(supervisor, variables)
    return _conclude(failures, outcomes, seconds=time.monotonic() - began)


def _all_tests(supervisor: Supervisor, variables: Mapping[str, str]) -> list[Outcome]:
    """
    What runs by itself, then what drives a whole treasury: each worker starts one of its own, so they come last.

    The order of the files is that of tests/longest_first.py: by their number of tests the longest would come last.
    """
    apart = [f"--ignore={folder}" for folder in DRIVING]
    driving = [folder for folder in DRIVING if (ROOT / folder).is_dir()]
    parallel = ["-n", WORKERS, "--dist", "loadfile", "--no-loadscope-reorder"]
    runs = [[*parallel, *apart, "tests"], *([[*parallel, *driving]] if driving else [])]
    reports = [supervisor.folders.var / f"tests-{number}.xml" for number in range(len(runs))]
    outcomes = []
    for report, arguments in zip(reports, runs, strict=True):
        say(f"\n  pytest {' '.join(arguments)}")
        code = _pytest(["-q", f"--junitxml={report}", *arguments], variables=variables)
        outcomes.append(_outcome(code, report))
    slowest.show(reports)
    return outcomes


def _pytest(arguments: list[str], *, variables: Mapping[str, str]) -> int:
    """Run pytest on this terminal; a Ctrl-C or SIGTERM ends it before the servers are stopped."""
    with subprocess.Popen(
        [*PYTEST, *arguments],
        cwd=ROOT,
        env=dict(variables),
        preexec_fn=system.dies_with_parent(signal.SIGTERM),  # noqa: PLW1509 (one thread only)
    ) as running:
        try:
            return running.wait()
        finally:
            if running.poll() is None:
                running.terminate()


def _outcome(code: int, report: Path) -> Outcome:
    if not report.is_file():
        return Outcome(code=code or 1, passed=0, failed=1, skipped=0)
    suite = next(ET.parse(report).getroot().iter("testsuite"))  # noqa: S314 (pytest wrote it a moment ago)
    total, failed, skipped = (
        sum(int(suite.get(name, "0")) for name in names)
        for names in (["tests"], ["failures", "errors"], ["skipped"])
    )
    is_broken = code != 0 and failed == 0
    return Outcome(
        code=code, passed=total - failed - skipped, failed=failed + (1 if is_broken else 0), skipped=skipped
    )


def _conclude(failures: list[checks.Failure], outcomes: list[Outcome], *, seconds: float) -> int:
    """Show what failed; the last line counts a failed check as one failure."""
    checks.show(failures)
    passed, skipped = (
        sum(outcome.passed for outcome in outcomes),
        sum(outcome.skipped for outcome in outcomes),
    )
    failed = sum(outcome.failed for outcome in outcomes) + len(failures)
    if failures:
        say(f"\n  Checks that failed: {', '.join(failure.check.title for failure in failures)}")
    counts = [f"{passed} passed", f"{failed} failed", *([f"{skipped} skipped"] if skipped else [])]
    say(f"\n{', '.join(counts)} in {seconds:.0f} s")
    return 1 if failed or any(outcome.code for outcome in outcomes) else 0
