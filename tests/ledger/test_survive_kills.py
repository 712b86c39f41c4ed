"""Survive kills: backends that are ended in the middle of their work, then the whole server, under load each time."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from script.devkit import environment
from script.devkit.benches import ledger as bench
from script.devkit.postgres import binaries
from script.devkit.supervisor import Child, Supervisor
from script.devkit.throwaway import throw_away_servers

ROOT = Path(__file__).resolve().parents[2]
WORKERS = 4
BUSY_SECONDS = 3.0
BACKENDS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE usename = 'treasury_app' AND state <> 'idle' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1"""


@dataclass
class Worker:
    """A process that books, and the file that it writes what it does to."""

    process: "subprocess.Popen[bytes]"
    path: Path

    def has_booked(self) -> bool:
        return "acked" in self.path.read_text()

    def lines(self) -> list[list[str]]:
        self.process.wait(timeout=60)
        return [line.split() for line in self.path.read_text().splitlines()]


def start(supervisor: Supervisor, variables: dict[str, str], name: str) -> Worker:
    path = supervisor.folders.var / f"worker-{name}"
    command = [sys.executable, "-m", "tests.ledger.kill_load", str(facts(supervisor)), "book", name]
    with path.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env={**variables, "DB_ROLE": "app"}, stdout=output)
    return Worker(process, path)


def facts(supervisor: Supervisor) -> Path:
    return supervisor.folders.var / "bench.json"


def repeat(supervisor: Supervisor, variables: dict[str, str], keys: set[str]) -> dict[str, tuple[str, bool]]:
    """Book each key again; return the id and whether it had been booked."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.ledger.kill_load", str(facts(supervisor)), "again"],
        cwd=ROOT,
        env={**variables, "DB_ROLE": "app"},
        input="".join(f"{key}\n" for key in sorted(keys)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told = (line.split()[1:] for line in done.stdout.splitlines() if line.startswith("told"))
    return {key: (uid, is_replay == "True") for key, uid, is_replay in told}


def end_backends(variables: dict[str, str]) -> int:
    """End one busy backend after another for a while, as the application's own role; return how many."""
    ended, until = 0, time.monotonic() + BUSY_SECONDS
    password = variables["TREASURY_POSTGRES_APP_PASSWORD"]
    url = variables["TREASURY_POSTGRES_URL"]
    with psycopg.connect(url, user="treasury_app", password=password, autocommit=True) as admin:
        while time.monotonic() < until:
            ended += len(admin.execute(BACKENDS).fetchall())
            time.sleep(random.uniform(0.05, 0.2))
    return ended


def kill(server: Child) -> None:
    """Kill the server and every backend at once."""
    os.killpg(server.process.pid, signal.SIGKILL)
    server.process.wait()


def start_again(supervisor: Supervisor, server: Child, variables: dict[str, str]) -> None:
    """Start the server over the data that the dead one left, and wait until it has recovered."""
    supervisor.start(server.program)
    password = variables["TREASURY_POSTGRES_APP_PASSWORD"]

    def is_serving() -> bool:
        try:
            with psycopg.connect(
                variables["TREASURY_POSTGRES_URL"], user="treasury_app", password=password, connect_timeout=2
            ):
                return True
        except psycopg.OperationalError:
            return False

    supervisor.wait_for("PostgreSQL", is_serving, seconds=60)


def test_nothing_acknowledged_is_lost_and_nothing_doubles():
    with throw_away_servers(is_durable=True, settings=bench.SETTINGS) as (supervisor, own):
        variables = {**environment.base(programs=binaries()), **own}
        bench.prepare(supervisor, variables, bench.ACCOUNTS)
        server = supervisor.children["postgres"]
        workers = [start(supervisor, variables, str(number)) for number in range(WORKERS)]
        supervisor.wait_for("the load", lambda: all(worker.has_booked() for worker in workers), seconds=60)
        ended = end_backends(variables)
        kill(server)
        lines = [line for worker in workers for line in worker.lines()]
        start_again(supervisor, server, variables)
        sent = {key for word, *keys in lines if word == "sent" for key in keys}
        acked = {line[1]: (line[2], True) for line in lines if line[0] == "acked"}
        told = repeat(supervisor, variables, sent)
        verdict = bench.verify(variables)

    assert ended > 0
    assert len(acked) > WORKERS
    assert {key: told[key] for key in acked} == acked
    assert told.keys() == sent
    assert (verdict["transactions"], verdict["findings"]) == (len(sent), [])
