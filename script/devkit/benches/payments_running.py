"""The processes of the payments bench: started with a job in a file, answering with a JSON object as their last line."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from script.devkit import environment, system
from script.devkit.ephemeral import RunningTreasury
from script.devkit.folders import PYTHON, ROOT
from script.devkit.refusals import Refusal

WARM_UP_SECONDS = 60.0
PLANTED_STOP = 2.0


def written(treasury: RunningTreasury, name: str, job: dict[str, Any]) -> str:
    """Write a job down and return where."""
    path: Path = treasury.folders.var / f"bench-{name}.json"
    path.write_text(json.dumps(job), encoding="utf-8")
    return str(path)


def start(
    treasury: RunningTreasury, module: str, *arguments: str, role: str = "app"
) -> "subprocess.Popen[str]":
    """Start one of the bench's own modules beside the treasury."""
    return subprocess.Popen(
        [str(PYTHON), "-m", f"script.devkit.benches.{module}", *arguments],
        cwd=ROOT,
        env={**environment.base(), **treasury.variables, "DB_ROLE": role},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def receiving() -> Iterator[str]:
    """Run a partner's own server and give its address; it ends with the bench."""
    running = subprocess.Popen(
        [str(PYTHON), "-m", "script.devkit.benches.payments_receiver"],
        cwd=ROOT,
        env=environment.base(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=system.dies_with_parent(signal.SIGTERM),  # noqa: PLW1509 (a few system calls)
    )
    try:
        assert running.stdout is not None
        yield f"http://127.0.0.1:{running.stdout.readline().strip()}/"
    finally:
        running.terminate()
        running.wait()


def answer(running: "subprocess.Popen[str]", module: str) -> dict[str, Any]:
    """Wait for the process, and return the JSON object that it has written as its last line."""
    output, _ = running.communicate()
    if running.returncode:
        raise Refusal(f"{module} ended with code {running.returncode}")
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


def slug(treasury: RunningTreasury) -> str:
    return str(treasury.demo["api_base"]).rstrip("/").rpartition("/")[2]


def wait_for(mark: str) -> None:
    """Return once the load has warmed up."""
    end = time.monotonic() + WARM_UP_SECONDS
    while not Path(mark).exists():
        if time.monotonic() > end:
            raise Refusal(f"the warm-up took more than {WARM_UP_SECONDS:.0f} s.")
        time.sleep(0.05)


def stand_still(treasury: RunningTreasury, *, after: float) -> None:
    """Stop the web processes, the master and its workers, and let them go on two seconds later."""
    time.sleep(after)
    master = treasury.pid("web")
    if master is None:
        raise Refusal("the web process is not running.")
    os.killpg(master, signal.SIGSTOP)
    time.sleep(PLANTED_STOP)
    os.killpg(master, signal.SIGCONT)


def lose_row(treasury: RunningTreasury) -> None:
    """Remove a transaction behind the ledger's back, for the test of the bench."""
    lost = start(treasury, "plants", f"org_{slug(treasury)}", role="owner")
    if lost.wait():
        raise Refusal(f"no row could be lost: code {lost.returncode}")
