"""How fast money is booked, as a ratio to pgbench's tpcb-like of the same run; then whether all of it is in the books."""

import json
import re
import signal
import statistics
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from script.devkit import environment, kept_schemas, processes, system
from script.devkit.benches import ledger_cases
from script.devkit.benches.ledger_cases import BARS, BASELINES, CASES, CEILINGS, KEYS, QUICK_SHARE, Case
from script.devkit.benches.report import Report, Wish
from script.devkit.folders import PYTHON, ROOT
from script.devkit.postgres import binaries, login
from script.devkit.refusals import Refusal
from script.devkit.steps import step
from script.devkit.supervisor import Supervisor
from script.devkit.throwaway import throw_away_servers

SETTINGS = "treasury.settings.local"
TPCB_DATABASE = "tpcb"
TPCB_SCALE = 10
SERVICES = max(case.connections for case in CASES if case.way == "service")
ROUNDS, QUICK_ROUNDS = 3, 1
ACCOUNTS, SPOILT_ACCOUNTS = 500, 40
"""On each side; a run that is spoilt on purpose has few, for it must only turn red."""
HISTORY = (10_000, 2_500_000, 1_000_000)
QUICK_HISTORY = (500, 20_000, 8_000)
"""Accounts, transactions of two legs, and how many of those touch one same account."""
SECONDS, QUICK_SECONDS = 8.0, 1.0
PLANTED_DELAY = 0.05
TPS = re.compile(r"tps = ([0-9.]+)")
PROCESSED = re.compile(r"actually processed: (\d+)")
FAILED = re.compile(r"failed transactions: (\d+)")


@dataclass
class Tally:
    """What the load says that it has booked, to be compared with the books."""

    booked: int = 0
    transfers: int = 0
    bytes_of_transfers: int = 0
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Measured:
    """One case in one round: how many a second, and the processor time of PostgreSQL for each, in milliseconds."""

    rate: float
    cpu_ms: float


type Results = Mapping[Case, list[Measured]]


def run(wish: Wish) -> Report:
    """Measure each case in turn, round by round; then verify the ledger and count; then read a ledger with a history."""
    with throw_away_servers(is_durable=True, settings=SETTINGS) as (supervisor, own):
        variables = {**environment.base(programs=binaries()), **own}
        setup = prepare(supervisor, variables, SPOILT_ACCOUNTS if wish.plants else ACCOUNTS)
        results: dict[Case, list[Measured]] = {case: [] for case in CASES}
        tally = Tally()
        load = Load(supervisor, variables, setup, tally, wish)
        try:
            for _ in range(QUICK_ROUNDS if wish.is_quick else ROUNDS):
                for case in CASES:
                    results[case].append(load.measure(case))
        finally:
            load.close()
        if "lost-row" in wish.plants:
            _plant(supervisor, variables, setup["schema"])
        verdict = verify(variables)
        history = _history(supervisor, variables, wish)
    return conclude(wish, results, tally, verdict, history)


class Load:
    """Runs one case at a time and counts what was booked."""

    def __init__(
        self,
        supervisor: Supervisor,
        variables: Mapping[str, str],
        setup: Mapping[str, Any],
        tally: Tally,
        wish: Wish,
    ) -> None:
        self.folders = supervisor.folders
        self.postmaster = supervisor.children["postgres"].process.pid
        self.setup = setup
        self.tally = tally
        self.delay = PLANTED_DELAY if "delay" in wish.plants else 0.0
        self.seconds = wish.seconds or (QUICK_SECONDS if wish.is_quick else SECONDS)
        self.variables = {**variables, "DB_ROLE": "app"}
        with step("connections of the service"):
            self.services = [self._service() for _ in range(SERVICES)]
            for service in self.services:
                _expect(service, "ready")

    def measure(self, case: Case) -> Measured:
        """Run it and return how many a second it booked; what is booked goes to the tally."""
        booked, size = self.tally.booked, _size(self.variables, self.setup["schema"])
        with step(case.title) as running:
            before, start = system.cpu_seconds(self.postmaster), time.monotonic()
            calls = self._by_service(case) if case.way == "service" else self._by_pgbench(case)
            used, took = system.cpu_seconds(self.postmaster) - before, time.monotonic() - start
            measured = Measured(calls * case.each, 1000 * used / max(1.0, calls * case.each * took))
            running.note = f"{measured.rate:8.0f} /s"
        if case.work == "transfer":
            self.tally.transfers += self.tally.booked - booked
            self.tally.bytes_of_transfers += _size(self.variables, self.setup["schema"]) - size
        return measured

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

    def _by_service(self, case: Case) -> float:
        job = {
            "work": case.work,
            "accounts": case.accounts,
            "each": case.each,
            "at": time.time() + 0.1,
            "seconds": self.seconds,
            "delay": self.delay,
        }
        chosen = self.services[: case.connections]
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
        return booked / self.seconds / case.each

    def _by_pgbench(self, case: Case) -> float:
        path = self.folders.var / "bench.sql"
        if not case.is_baseline:
            path.write_text(ledger_cases.script(case, self.setup, delay=self.delay), encoding="utf-8")
        output = _pgbench(
            self.variables,
            *(["-b", "tpcb-like"] if case.is_baseline else ["-f", str(path)]),
            *("-n", "-c", str(case.connections), "-j", str(min(case.connections, 2))),
            *("-T", str(max(1, round(self.seconds)))),
            database=TPCB_DATABASE if case.is_baseline else "",
            role="owner" if case.is_baseline else "app",
        )
        if not case.is_baseline:
            self.tally.booked += int(_find(PROCESSED, output)) * case.each
            self.tally.refused += ["pgbench"] * int(_find(FAILED, output))
        return float(_find(TPS, output))


def prepare(supervisor: Supervisor, variables: dict[str, str], accounts: int) -> dict[str, Any]:
    """Schemas, an organisation with so many accounts on each side, and pgbench's own tables in a database beside it."""
    owner = processes.as_owner(variables)
    facts = supervisor.folders.var / "bench.json"
    with step("database schemas"), kept_schemas.begun_with(variables):
        _require(
            supervisor.run("migrate_all", processes.manage("migrate_all"), environment=owner, name="migrate"),
            supervisor,
        )
    with step("organisation and accounts"):
        command = [str(PYTHON), "-m", "script.devkit.benches.ledger_setup", str(facts), str(accounts)]
        _require(supervisor.run("ledger_setup", command, environment=owner, name="setup"), supervisor)
    with step(f"pgbench tables, scale {TPCB_SCALE}"):
        _pgbench(owner, "-i", "-q", "-s", str(TPCB_SCALE), database=TPCB_DATABASE, role="owner", is_new=True)
    found: dict[str, Any] = json.loads(facts.read_text(encoding="utf-8"))
    return found


def _pgbench(
    variables: Mapping[str, str], *arguments: str, database: str, role: str, is_new: bool = False
) -> str:
    """Run pgbench over TCP as one of our two roles; return what it wrote."""
    there, name = login(variables, role)
    if is_new:
        _run([str(binaries() / "createdb"), "--maintenance-db", name, database], there)
    return _run([str(binaries() / "pgbench"), *arguments, database or name], there)


def _psql(variables: Mapping[str, str], statement: str) -> str:
    """Run a statement as the owner; return the last line of its answer."""
    there, name = login(variables, "owner")
    return _run([str(binaries() / "psql"), "-qAt", "-c", statement, name], there).splitlines()[-1]


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
    """Refuse with the end of the newest log: the folder of the logs does not outlive the run."""
    if code:
        newest = max(supervisor.folders.log.glob("*.log"), key=lambda path: path.stat().st_mtime)
        said = newest.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise Refusal(f"a step of the bench ended with code {code}:\n{said}")


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


def verify(variables: Mapping[str, str]) -> dict[str, Any]:
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


def _size(variables: Mapping[str, str], schema: str) -> int:
    """Return the bytes of the tables that a posting grows, with their indexes."""
    statement = f"SELECT sum(pg_total_relation_size('{schema}.' || name)) FROM unnest(ARRAY['ledger_transaction', 'ledger_entry']) name"  # noqa: S608 (our own schema)
    return int(_psql(variables, statement))


def _history(supervisor: Supervisor, variables: dict[str, str], wish: Wish) -> dict[str, float]:
    """Fill a second organisation with a history and return the medians of reading it, in milliseconds."""
    found = supervisor.folders.var / "history.json"
    size = [str(number) for number in (QUICK_HISTORY if wish.is_quick else HISTORY)]
    command = [str(PYTHON), "-m", "script.devkit.benches.ledger_history", str(found), *size]
    with step("a ledger with a history"):
        _require(
            supervisor.run("history", command, environment=processes.as_owner(variables), name="history"),
            supervisor,
        )
    medians: dict[str, float] = json.loads(found.read_text(encoding="utf-8"))
    return medians


def conclude(
    wish: Wish, results: Results, tally: Tally, verdict: Mapping[str, Any], history: Mapping[str, float]
) -> Report:
    report = Report("ledger", wish.is_quick)
    report.table = [["case, connections", "/s", "ratio", "CPU ms", "ratio of CPU"]]
    ratios, cpu = {}, {}
    for case, measured in results.items():
        base = results[next(line for line in BASELINES if line.connections == case.connections)]
        ratios[case] = round(_median_ratio(measured, base, "rate"), 3)
        cpu[case] = round(_median_ratio(measured, base, "cpu_ms"), 3)
        rate, used = (
            statistics.median(getattr(one, name) for one in measured) for name in ("rate", "cpu_ms")
        )
        report.table.append(
            [case.title, f"{rate:.0f}", f"{ratios[case]:.2f}", f"{used:.3f}", f"{cpu[case]:.2f}"]
        )
    named = {name: ratios[case] for name, case in KEYS.items()}
    grown = round(tally.bytes_of_transfers / max(1, tally.transfers))
    report.keys = {
        **named,
        "cpu_ratio": cpu[KEYS["transfer_ratio"]],
        **history,
        "bytes_per_transfer": grown,
        "ledger_clean": not verdict["findings"],
        "ratios": {case.title: ratio for case, ratio in ratios.items() if not case.is_baseline},
        "booked": tally.booked,
        "in_the_books": verdict["transactions"],
    }
    report.table += [
        [name, str(value), "", "", ""] for name, value in [*history.items(), ("bytes_per_transfer", grown)]
    ]
    _judge(report, named, tally, verdict)
    return report


def _judge(report: Report, named: Mapping[str, float], tally: Tally, verdict: Mapping[str, Any]) -> None:
    report.require(
        not verdict["findings"],
        f"ledger_verify: {[finding['problem'] for finding in verdict['findings']][:3]}",
    )
    report.require(
        verdict["transactions"] == tally.booked,
        f"{tally.booked} were booked, {verdict['transactions']} are in the books",
    )
    report.require(not tally.refused, f"{len(tally.refused)} were refused: {sorted(set(tally.refused))}")
    share = QUICK_SHARE if report.is_quick else 1.0
    for name, bar in BARS.items():
        least = round(bar * share, 2)
        report.require(named[name] >= least, f"{name} is {named[name]} of tpcb-like, less than {least}")
    for name, ceiling in CEILINGS.items():
        most = round(ceiling / share, 1)
        report.require(report.keys[name] <= most, f"{name} is {report.keys[name]}, more than {most}")


def _median_ratio(measured: list[Measured], base: list[Measured], name: str) -> float:
    """Return the median over the rounds of this by the baseline of the same round."""
    return statistics.median(
        getattr(one, name) / max(1e-9, getattr(reference, name))
        for one, reference in zip(measured, base, strict=True)
    )
