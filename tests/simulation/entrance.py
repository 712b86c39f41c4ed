"""The command line of the simulation: a database of its own, seeds shared among processes, and what they found."""

import argparse
import json
import logging
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import django

ROOT = Path(__file__).resolve().parents[2]
COVERED_FROM = 200
EXIT_FOUND, EXIT_MISSED = 1, 2


def main(arguments: list[str]) -> int:
    """Play seeds and say how they went: 0 nothing found, 1 something found, 2 something never hit."""
    asked = _parser().parse_args(arguments)
    django.setup()
    logging.disable(logging.CRITICAL)
    if asked.bug or asked.bugs:
        from tests.simulation import planted  # noqa: PLC0415

        return planted.hunt([asked.bug] if asked.bug else planted.names(), seeds=asked.seeds)
    seeds = (
        [asked.seed]
        if asked.seed is not None
        else [asked.first + asked.stride * n for n in range(asked.seeds)]
    )
    is_shared = asked.jobs > 1 and len(seeds) > 1
    results = _share(seeds, asked) if is_shared else _play(seeds, asked)
    if asked.json:
        sys.stdout.write(json.dumps(results))
        return 0
    return _tell(results, is_one=asked.seed is not None)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="script/simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds to play")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--seed", type=int, help="play this one and show its steps")
    parser.add_argument("--jobs", type=int, default=2, help="processes to share the seeds among")
    parser.add_argument("--within", type=float, help="begin no further seed after so many seconds")
    parser.add_argument("--stop", action="store_true", help="stop at the first seed that finds something")
    parser.add_argument("--bug", help="plant this bug of tests/simulation/bugs; 0 only when it is found")
    parser.add_argument("--bugs", action="store_true", help="plant every bug, one after the other")
    parser.add_argument("--stride", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help=argparse.SUPPRESS)
    return parser


def _play(seeds: list[int], asked: argparse.Namespace) -> list[dict[str, Any]]:
    from tests.simulation import playing  # noqa: PLC0415

    results: list[dict[str, Any]] = []
    with _database():
        began = time.monotonic()  # the first run of a tree makes the database before
        for seed in seeds:
            if asked.within is not None and time.monotonic() - began > asked.within:
                break
            played = playing.play(seed)
            results.append({**vars(played), "hits": dict(played.hits)})
            if not asked.json and (played.problems or asked.seed is not None):
                _show(results[-1])
            if played.problems and asked.stop:
                break
    return results


def _share(seeds: list[int], asked: argparse.Namespace) -> list[dict[str, Any]]:
    shares = [share for place in range(asked.jobs) if (share := seeds[place :: asked.jobs])]
    running = []
    for share in shares:
        command = [
            sys.executable,
            "-m",
            "tests.simulation",
            "--json",
            "--jobs",
            "1",
            "--seeds",
            str(len(share)),
        ]
        command += ["--first", str(share[0]), "--stride", str(asked.jobs)]
        command += ["--stop"] if asked.stop else []
        command += ["--within", str(asked.within)] if asked.within is not None else []
        running.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE))
    results: list[dict[str, Any]] = []
    for process in running:
        content, _ = process.communicate()
        if process.returncode:
            raise SystemExit(f"a process that played seeds ended with {process.returncode}")
        results += json.loads(content)
    for result in results:
        if result["problems"]:
            _show(result)
    return sorted(results, key=lambda result: int(result["seed"]))


@contextmanager
def _database() -> Iterator[None]:
    """Copy the pristine database of the tests, and drop the copy afterwards."""
    from django.db import connections  # noqa: PLC0415

    from tests import conftest  # noqa: PLC0415

    pristine = f"test_pristine_{conftest.fingerprint()}"
    name = f"test_simulation_{os.getpid()}"
    with conftest.server() as admin:
        admin.execute("SELECT pg_advisory_lock(%s)", [conftest.BUILD_LOCK])
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [pristine]).fetchone():
            with redirect_stdout(sys.stderr):
                conftest.build(admin, pristine)
        conftest.copy(admin, pristine, name)
        admin.execute("SELECT pg_advisory_unlock(%s)", [conftest.BUILD_LOCK])
    conftest.use(name, "app")
    try:
        yield
    finally:
        connections.close_all()
        with conftest.server() as admin:
            conftest.drop(admin, name)


def _show(result: dict[str, Any]) -> None:
    sys.stdout.write(f"\nseed {result['seed']}: {result['events']} events, hash {result['digest']}\n")
    for line in result["steps"]:
        sys.stdout.write(f"  {line}\n")
    for problem in result["problems"]:
        sys.stdout.write(f"  FOUND: {problem}\n")
    if result["problems"]:
        sys.stdout.write(f"  Again: script/simulate --seed {result['seed']}\n")
    sys.stdout.flush()


def _tell(results: list[dict[str, Any]], *, is_one: bool) -> int:
    from tests.simulation import coverage  # noqa: PLC0415

    hits: Counter[str] = Counter()
    for result in results:
        hits.update(result["hits"])
    found = [result["seed"] for result in results if result["problems"]]
    seconds = sum(result["seconds"] for result in results)
    if not is_one:
        sys.stdout.write(f"{coverage.table(hits)}\n")
    events = sum(result["events"] for result in results)
    sys.stdout.write(
        f"{len(results)} seeds, {events} events, {seconds / max(len(results), 1):.2f} s per seed. "
    )
    sys.stdout.write(f"Found something in {found}.\n" if found else "Found nothing.\n")
    if found:
        return EXIT_FOUND
    missed = coverage.missed(hits) if len(results) >= COVERED_FROM else []
    if missed:
        sys.stdout.write(f"Never hit: {', '.join(missed)}\n")
    return EXIT_MISSED if missed else 0
