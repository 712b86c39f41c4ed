"""How fast money is booked, as a ratio to pgbench's tpcb-like of the same run; then whether all of it is in the books."""

import json
import re
import signal
import statistics
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from script.devkit import environment, processes, system
from script.devkit.benches.report import Report, Wish
from script.devkit.folders import PYTHON, ROOT, Folders
from script.devkit.postgres import binaries
from script.devkit.refusals import Refusal
from script.devkit.steps import step
from script.devkit.supervisor import Supervisor
from script.devkit.throwaway import throw_away_servers

SETTINGS = "treasury.settings.local"
TPCB_DATABASE = "tpcb"
TPCB_SCALE = 10
CONNECTIONS = (1, 4)
ROUNDS, QUICK_ROUNDS = 3, 1
SECONDS, QUICK_SECONDS = 8.0, 1.0
PLANTED_DELAY = 0.05
BAR = 0.5
"""The lowest ratio of one bare transfer to tpcb-like, 4 connections: the aim is 0.7, the rest is room for noise."""

TRANSFER = """
SELECT booked_id FROM {schema}.ledger_transfer(
  gen_random_uuid(), 'bench:' || gen_random_uuid(), sha256('bench'), 'POSTING', :a, :c, 'KES', 100, NULL::date,
  NULL::timestamptz, 'bench', gen_random_uuid(), '', 'Bench', 'system', now());"""
POST = """
SELECT booked_id FROM {schema}.ledger_post(
  gen_random_uuid(), 'bench:' || gen_random_uuid(), sha256('bench'), 'POSTING', ARRAY[:a, :b, :c, :d]::bigint[],
  ARRAY['KES', 'KES', 'KES', 'KES'], ARRAY[1, 1, -1, -1]::smallint[], ARRAY[70, 30, 60, 40]::numeric[], NULL::date,
  NULL::timestamptz, 'bench', gen_random_uuid(), '', 'Bench', 'system', now());"""
TPS = re.compile(r"tps = ([0-9.]+)")
PROCESSED = re.compile(r"actually processed: (\d+)")
FAILED = re.compile(r"failed transactions: (\d+)")


@dataclass(frozen=True)
class Case:
    """One line of the table: who books what on which accounts; ``way`` is sql (pgbench) or service (Python)."""

    way: str
    work: str
    accounts: str

    @property
    def title(self) -> str:
        return f"{self.way} {self.work}, {self.accounts}"


TPCB = Case("pgbench", "tpcb-like", "scale 10")
CASES = (
    TPCB,
    Case("sql", "transfer", "spread"),
    Case("sql", "transfer", "hot"),
    Case("sql", "post", "spread"),
    Case("service", "transfer", "spread"),
    Case("service", "transfer", "hot"),
    Case("service", "post", "spread"),
)


@dataclass
class Tally:
    """What the load says that it has booked, to be compared with the books."""

    booked: int = 0
    refused: list[str] = field(default_factory=list)


def run(wish: Wish) -> Report:
    """Measure each case with 1 and 4 connections, then verify the ledger and count."""
    with throw_away_servers(is_durable=True, settings=SETTINGS) as (supervisor, own):
        variables = {**environment.base(programs=binaries()), **own}
        setup = _prepare(supervisor, variables)
        measured: dict[tuple[Case, int], list[float]] = {}
        tally = Tally()
        load = Load(supervisor.folders, variables, setup, tally, wish)
        try:
            for _ in range(QUICK_ROUNDS if wish.is_quick else ROUNDS):
                for connections in CONNECTIONS:
                    for case in CASES:
                        rate = load.measure(case, connections)
                        measured.setdefault((case, connections), []).append(rate)
        finally:
            load.close()
        if "lost-row" in wish.plants:
            _plant(supervisor, variables, setup["schema"])
        verdict = _verify(variables)
    return conclude(wish, measured, tally, verdict)


class Load:
    """Runs one case at a time and counts what was booked."""

    def __init__(
        self,
        folders: Folders,
        variables: Mapping[str, str],
        setup: Mapping[str, Any],
        tally: Tally,
        wish: Wish,
    ) -> None:
        self.folders = folders
        self.setup = setup
        self.tally = tally
        self.delay = PLANTED_DELAY if "delay" in wish.plants else 0.0
        self.seconds = wish.seconds or (QUICK_SECONDS if wish.is_quick else SECONDS)
        self.variables = {**variables, "DB_ROLE": "app"}
        with step("connections of the service"):
            self.services = [self._service() for _ in range(max(CONNECTIONS))]
            for service in self.services:
                _expect(service, "ready")

    def measure(self, case: Case, connections: int) -> float:
        """Run it and return how many a second; what is booked goes to the tally."""
        with step(f"{case.title}, {connections} connections") as running:
            rate = (
                self._by_service(case, connections)
                if case.way == "service"
                else self._by_pgbench(case, connections)
            )
            running.note = f"{rate:8.0f} /s"
        return rate

    def close(self) -> None:
        for service in self.services:
            service.terminate()
            service.wait()

    def _service(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [str(PYTHON), "-m", "script.devkit.benches.ledger_load", str(self.folders.var / "bench.json")],
            cwd=ROOT,
            env=self.variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=system.dies_with_parent(signal.SIGTERM),  # noqa: PLW1509 (one thread only)
        )

    def _by_service(self, case: Case, connections: int) -> float:
        job = {
            "work": case.work,
            "accounts": case.accounts,
            "at": time.time() + 0.1,
            "seconds": self.seconds,
            "delay": self.delay,
        }
        chosen = self.services[:connections]
        for service in chosen:
            assert service.stdin is not None
            service.stdin.write(json.dumps(job) + "\n")
            service.stdin.flush()
        booked = 0
        for service in chosen:
            answer = json.loads(_expect(service, "{"))
            booked += answer["booked"]
            self.tally.refused += answer["refused"]
        self.tally.booked += booked
        return booked / self.seconds

    def _by_pgbench(self, case: Case, connections: int) -> float:
        is_baseline = case is TPCB
        script = ["-b", "tpcb-like"] if is_baseline else ["-f", str(self._script(case))]
        output = _pgbench(
            self.variables,
            *script,
            *(
                "-n",
                "-c",
                str(connections),
                "-j",
                str(min(connections, 2)),
                "-T",
                str(max(1, round(self.seconds))),
            ),
            database=TPCB_DATABASE if is_baseline else "",
            role="owner" if is_baseline else "app",
        )
        if not is_baseline:
            self.tally.booked += int(_find(PROCESSED, output))
            self.tally.refused += ["pgbench"] * int(_find(FAILED, output))
        return float(_find(TPS, output))

    def _script(self, case: Case) -> Path:
        """The pgbench script of a case: draws accounts, then calls the function once."""
        assets, liabilities = (
            self.setup["accounts"]["PROVIDER_BALANCE"],
            self.setup["accounts"]["UNAPPLIED_COLLECTIONS"],
        )
        last = liabilities[0] if case.accounts == "hot" else liabilities[-1]
        middle = len(assets) // 2
        lines = [
            f"\\set a random({assets[0]}, {assets[middle - 1]})",
            f"\\set b random({assets[middle]}, {assets[-1]})",
            f"\\set c random({liabilities[0]}, {last})",
            f"\\set d random({liabilities[0]}, {liabilities[-1]})",
            " ".join(
                (TRANSFER if case.work == "transfer" else POST).format(schema=self.setup["schema"]).split()
            ),
        ]
        if self.delay:
            lines.append(f"\\sleep {round(self.delay * 1000)} ms")
        path = self.folders.var / "bench.sql"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path


def _prepare(supervisor: Supervisor, variables: dict[str, str]) -> dict[str, Any]:
    """Schemas, an organisation with 200 accounts, and pgbench's own tables in a database beside it."""
    owner = processes.as_owner(variables)
    facts = supervisor.folders.var / "bench.json"
    with step("database schemas"):
        _require(
            supervisor.run("migrate_all", processes.manage("migrate_all"), environment=owner, name="migrate"),
            supervisor,
        )
    with step("organisation and accounts"):
        command = [str(PYTHON), "-m", "script.devkit.benches.ledger_setup", str(facts)]
        _require(supervisor.run("ledger_setup", command, environment=owner, name="setup"), supervisor)
    with step(f"pgbench tables, scale {TPCB_SCALE}"):
        _pgbench(owner, "-i", "-q", "-s", str(TPCB_SCALE), database=TPCB_DATABASE, role="owner", is_new=True)
    found: dict[str, Any] = json.loads(facts.read_text(encoding="utf-8"))
    return found


def _pgbench(
    variables: Mapping[str, str], *arguments: str, database: str, role: str, is_new: bool = False
) -> str:
    """Run pgbench over TCP as one of our two roles; return what it wrote."""
    address, _, name = variables["TREASURY_POSTGRES_URL"].removeprefix("postgresql://").partition("/")
    host, _, port = address.partition(":")
    login = {
        "PGHOST": host,
        "PGPORT": port,
        "PGUSER": f"treasury_{role}",
        "PGPASSWORD": variables[f"TREASURY_POSTGRES_{role.upper()}_PASSWORD"],
    }
    there = {**variables, **login}
    if is_new:
        _run([str(binaries() / "createdb"), "--maintenance-db", name, database], there)
    return _run([str(binaries() / "pgbench"), *arguments, database or name], there)


def _run(command: list[str], variables: Mapping[str, str]) -> str:
    done = subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        env=dict(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise Refusal(f"`{' '.join(command)}` ended with code {done.returncode}:\n{done.stdout}")
    return done.stdout


def _require(code: int, supervisor: Supervisor) -> None:
    if code:
        raise Refusal(f"a step of the bench ended with code {code}. Logs: {supervisor.folders.log}")


def _expect(service: "subprocess.Popen[str]", start: str) -> str:
    assert service.stdout is not None
    for line in service.stdout:  # what a package may print comes before
        if line.startswith(start):
            return line
    raise Refusal(f"a connection of the load ended with code {service.wait()}")


def _find(pattern: re.Pattern[str], output: str) -> str:
    found = pattern.search(output)
    if found is None:
        raise Refusal(f"pgbench wrote something else than expected:\n{output}")
    return found[1]


def _plant(supervisor: Supervisor, variables: dict[str, str], schema: str) -> None:
    command = [str(PYTHON), "-m", "script.devkit.benches.plants", schema]
    _require(
        supervisor.run("plants", command, environment=processes.as_owner(variables), name="plants"),
        supervisor,
    )


def _verify(variables: Mapping[str, str]) -> dict[str, Any]:
    """What ledger_verify says of the bench's organisation."""
    with step("ledger_verify"):
        done = subprocess.run(
            processes.manage("ledger_verify", "--tenant", "bench", "--json"),
            check=False,
            cwd=ROOT,
            env={**variables, "DB_ROLE": "app"},
            capture_output=True,
            text=True,
        )
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"bench"')]
    if not lines:
        raise Refusal(f"ledger_verify gave no verdict:\n{done.stdout}{done.stderr}")
    verdict: dict[str, Any] = json.loads(lines[0])["bench"]
    return verdict


def conclude(
    wish: Wish, measured: Mapping[tuple[Case, int], list[float]], tally: Tally, verdict: Mapping[str, Any]
) -> Report:
    report = Report("ledger", wish.is_quick)
    report.table = [
        ["case", *[text for count in CONNECTIONS for text in (f"/s at {count}", f"ratio at {count}")]]
    ]
    ratios: dict[str, dict[str, float]] = {}
    for case in CASES:
        row = [case.title]
        for connections in CONNECTIONS:
            rates, base = measured[case, connections], measured[TPCB, connections]
            ratio = statistics.median(rate / reference for rate, reference in zip(rates, base, strict=True))
            row += [f"{statistics.median(rates):.0f}", f"{ratio:.2f}"]
            if case is not TPCB:
                ratios.setdefault(case.title.replace(", ", " ").replace(" ", "_"), {})[str(connections)] = (
                    round(ratio, 3)
                )
        report.table.append(row)
    report.keys = {
        "tpcb_per_second": {
            str(count): round(statistics.median(measured[TPCB, count])) for count in CONNECTIONS
        },
        "ratios": ratios,
        "booked": tally.booked,
        "in_the_books": verdict["transactions"],
        "findings": len(verdict["findings"]),
    }
    bare = ratios["sql_transfer_spread"][str(max(CONNECTIONS))]
    report.require(
        not verdict["findings"],
        f"ledger_verify: {[finding['problem'] for finding in verdict['findings']][:3]}",
    )
    report.require(
        verdict["transactions"] == tally.booked,
        f"{tally.booked} were booked, {verdict['transactions']} are in the books",
    )
    report.require(not tally.refused, f"{len(tally.refused)} were refused: {sorted(set(tally.refused))}")
    report.require(bare >= BAR, f"a bare transfer reaches {bare} of tpcb-like, less than {BAR}")
    return report
