"""For tests and benches: a whole treasury of its own, as script/server runs it, on free ports and in a folder of its own."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from script.devkit import environment, system
from script.devkit.folders import PYTHON, ROOT, Folders
from script.devkit.throwaway import throw_away_folder

START_SECONDS = 400.0


class DidNotStart(RuntimeError):
    """script/server ended, or was not healthy in time; the text holds what it wrote."""


@dataclass(frozen=True)
class RunningTreasury:
    """A treasury that is up. `variables` are those of its processes, `demo` what seed_demo wrote."""

    url: str
    simulator_url: str
    folders: Folders
    variables: dict[str, str]
    demo: dict[str, Any]

    def pid(self, name: str) -> int | None:
        """The process that runs `web`, `worker`, `documents`, `beat`, `simulator`, `postgres` or `valkey` now."""
        record = json.loads((self.folders.run / "processes.json").read_text(encoding="utf-8"))
        return record[name]["pid"] if name in record else None

    def log(self, name: str) -> str:
        """Everything that the program has written since the start."""
        return (self.folders.log / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def manage(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a management command beside it, as the application's database role."""
        return subprocess.run(
            [str(PYTHON), "manage.py", *arguments],
            check=False,
            cwd=ROOT,
            env={**environment.base(), **self.variables, "DB_ROLE": "app"},
            capture_output=True,
            text=True,
        )


@contextmanager
def running_treasury(*, is_durable: bool = False) -> Iterator[RunningTreasury]:
    """
    Start script/server --ephemeral with a demo of nothing but its organisation, yield it healthy, stop it; its folder
    is gone afterwards.
    """
    durable = ["--durable"] if is_durable else []
    with throw_away_folder("ephemeral") as var, treasury_in(var, "--demo-orders", "0", *durable) as started:
        yield started


@contextmanager
def treasury_in(var: Path, *options: str) -> Iterator[RunningTreasury]:
    """Start script/server --ephemeral in a folder that stays, yield it healthy, stop it; it writes to server.log."""
    output = var / "server.log"
    with output.open("wb") as log:
        server = subprocess.Popen(
            [ROOT / "script" / "server", "--ephemeral", "--var", var, *options],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=system.dies_with_parent(signal.SIGTERM),  # noqa: PLW1509 (a few system calls)
        )
    try:
        yield _wait(server, var, output)
    finally:
        server.terminate()
        server.wait()


def _wait(server: "subprocess.Popen[bytes]", var: Path, output: Path) -> RunningTreasury:
    ready, end = var / "ready.json", time.monotonic() + START_SECONDS
    while not ready.exists():
        if server.poll() is not None or time.monotonic() > end:
            raise DidNotStart(output.read_text(encoding="utf-8", errors="replace"))
        time.sleep(0.1)
    addresses = json.loads(ready.read_text(encoding="utf-8"))
    return RunningTreasury(
        url=addresses["url"],
        simulator_url=addresses["simulator_url"],
        folders=Folders(var),
        variables=environment.read(var / "local.env"),
        demo=json.loads((var / "demo.json").read_text(encoding="utf-8")),
    )
