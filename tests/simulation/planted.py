"""Plants bugs that are known, each in a copy of the tree, to see that the simulation finds them."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUGS = Path(__file__).resolve().parent / "bugs"
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "var", "node_modules", ".*_cache")
"""Compiled code comes along: Python compiles anew what the patch has changed, and nothing else."""


def names() -> list[str]:
    """Return the bugs that can be planted."""
    return sorted(path.stem for path in BUGS.glob("*.patch"))


def hunt(chosen: list[str], *, seeds: int) -> int:
    """Plant each bug and look for it within so many seeds; 0 only when all of them were found."""
    missed = []
    for name in chosen:
        began = time.monotonic()
        seed = find(name, seeds=seeds)
        if seed is None:
            missed.append(name)
        verdict = f"found with seed {seed}" if seed is not None else f"NOT FOUND in {seeds} seeds"
        sys.stdout.write(f"  {name:<40} {verdict} ({time.monotonic() - began:.0f} s)\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(chosen) - len(missed)} of {len(chosen)} bugs found.\n")
    return 1 if missed else 0


def find(name: str, *, seeds: int) -> int | None:
    """Return the first seed that finds the bug, or None."""
    if name not in names():
        raise SystemExit(f"There is no bug {name!r}; there are {', '.join(names())}.")
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
        (tree / ".venv").symlink_to(ROOT / ".venv")  # its programs of PostgreSQL lie there
        subprocess.run(["git", "apply", str(BUGS / f"{name}.patch")], cwd=tree, check=True)
        command = [sys.executable, "-m", "tests.simulation", "--jobs", "1", "--stop", "--seeds", str(seeds)]
        played = subprocess.run(
            command,
            cwd=tree,
            env={**os.environ, "PYTHONPATH": str(tree)},
            capture_output=True,
            text=True,
            check=False,
        )
    found = [line for line in played.stdout.splitlines() if line.startswith("seed ")]
    if played.returncode == 1 and found:
        return int(found[0].split()[1].rstrip(":"))
    if played.returncode not in (0, 2):
        raise SystemExit(f"{name}: the simulation could not be played\n{played.stdout}\n{played.stderr}")
    return None
