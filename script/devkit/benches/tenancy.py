"""How fast organisations are made, upgraded and switched between, beside plain migrations in the same run."""

import json
import statistics
import subprocess
import time
from collections.abc import Mapping
from typing import Any

from script.devkit import environment, processes
from script.devkit.benches.report import Report, Wish
from script.devkit.folders import PYTHON, ROOT
from script.devkit.postgres import binaries
from script.devkit.refusals import Refusal
from script.devkit.steps import step
from script.devkit.throwaway import throw_away_servers

SETTINGS = "treasury.settings.local"
LATER = "script.devkit.benches.one_more_settings"
MANY, ALL = 50, 100
QUICK_MANY, QUICK_ALL = 2, 4
SINGLES = 3
TURNS, QUICK_TURNS = 5000, 500
PLANTED_DELAY = 5.0
SPEEDUP_BAR = 5.0
NOOP_BAR = 10.0
PROVISION_BAR = 3.0

type Measured = dict[str, Any]


def run(wish: Wish) -> Report:
    """Make organisations, then migrate all of them: with nothing to apply, with one migration, ours and plain."""
    many, everything = (QUICK_MANY, QUICK_ALL) if wish.is_quick else (MANY, ALL)
    singles = 1 if wish.is_quick else SINGLES
    with throw_away_servers(is_durable=True, settings=SETTINGS) as (_supervisor, own):
        bench = Bench({**environment.base(programs=binaries()), **own})
        with step("public schema, template and its snapshot"):
            bench.manage("migrate_all")
        measured = bench.provision(many, everything, singles, delay="delay" in wish.plants)
        measured |= bench.migrate(everything)
        with step("switches between organisations"):
            measured |= bench.ask("switch", turns=QUICK_TURNS if wish.is_quick else TURNS)
        if "lost-row" in wish.plants:
            bench.ask("spoil", later=True)
        measured |= bench.ask("check", later=True)
    return conclude(wish, many=many, everything=everything, measured=measured)


class Bench:
    """Runs the product's own commands as the owner role, each in a process of its own, and times them."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = processes.as_owner(variables)

    def provision(self, many: int, everything: int, singles: int, *, delay: bool) -> Measured:
        """One new organisation, then ``many`` in a row, then the rest; and plain migrations of one schema."""
        with step("one new organisation"):
            slugs = ["warm", *(f"single{number}" for number in range(singles))]
            took = self.ask("provision", slugs=slugs, delay=PLANTED_DELAY if delay else 0.0)["took"]
        with step(f"{many} new organisations"):
            row = self.ask("provision", slugs=[f"row{number}" for number in range(many)])["took"]
        rest = everything - len(took) - len(row)
        with step(f"{rest} more, to be {everything}"):
            self.ask("provision", slugs=[f"rest{number}" for number in range(rest)])
        with step("plain migrations of one schema"):
            plain = self.ask("plain")["took"]
        return {
            "provision_s": statistics.median(took[1:]),
            "provision_many_s": sum(row),
            "plain_s": plain,
        }

    def migrate(self, everything: int) -> Measured:
        """The migrate job and plain ``migrate_schemas``: first with nothing to apply, then with one migration."""
        found: Measured = {}
        with step(f"migrate job, {everything} with nothing to apply"):
            found["noop_s"] = self.manage("migrate_all")
        with step("plain migrate_schemas, the same"):
            found["plain_noop_s"] = self.manage("migrate_schemas", "--tenant", "--skip-checks")
        with step(f"migrate job, {everything} with one migration"):
            found["one_s"] = self.manage("migrate_all", later=True)
        with step("plain migrate_schemas, the same"):
            self.manage("migrate_schemas", "--tenant", "--skip-checks", "one_more", "zero", later=True)
            found["plain_one_s"] = self.manage("migrate_schemas", "--tenant", "--skip-checks", later=True)
            self.manage("migrate_all", "--thorough", later=True)
        return found

    def manage(self, *words: str, later: bool = False) -> float:
        """Run a management command, with the settings of this build or of a later one; return its seconds."""
        began = time.monotonic()
        self._run(processes.manage(*words), later=later)
        return time.monotonic() - began

    def ask(self, job: str, *, later: bool = False, **arguments: Any) -> Measured:
        """Have the product do a job of ``tenancy_load``, and return its answer."""
        text = json.dumps({"job": job, **arguments})
        said = self._run([str(PYTHON), "-m", "script.devkit.benches.tenancy_load", text], later=later)
        found: Measured = json.loads(said.splitlines()[-1])
        return found

    def _run(self, command: list[str], *, later: bool) -> str:
        done = subprocess.run(
            command,
            check=False,
            cwd=ROOT,
            env={**self.variables, "DJANGO_SETTINGS_MODULE": LATER if later else SETTINGS},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise Refusal(
                f"`{' '.join(command)}` ended with code {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return done.stdout


def conclude(wish: Wish, *, many: int, everything: int, measured: Mapping[str, Any]) -> Report:
    """The report: what was measured, and every reason to call it red."""
    report = Report("tenancy", wish.is_quick)
    speedup = measured["plain_s"] / max(1e-9, measured["provision_s"])
    report.table = [
        ["organisations", "ours", "plain"],
        ["one new one", _seconds(measured["provision_s"]), _seconds(measured["plain_s"])],
        [f"{many} new ones", _seconds(measured["provision_many_s"]), ""],
        [
            f"migrate {everything}, nothing to apply",
            _seconds(measured["noop_s"]),
            _seconds(measured["plain_noop_s"]),
        ],
        [
            f"migrate {everything}, one migration",
            _seconds(measured["one_s"]),
            _seconds(measured["plain_one_s"]),
        ],
        ["switch of the organisation", f"{measured['switch_us']:.0f} us", ""],
    ]
    report.keys = {
        "provision_s": round(measured["provision_s"], 2),
        "provision_50_s": round(measured["provision_many_s"], 2),
        "provision_speedup": round(speedup, 1),
        "migrate_noop_100_s": round(measured["noop_s"], 2),
        "migrate_one_100_s": round(measured["one_s"], 2),
        "switch_us": round(measured["switch_us"]),
        "plain_migrate_s": round(measured["plain_s"], 2),
        "plain_noop_100_s": round(measured["plain_noop_s"], 2),
        "plain_one_100_s": round(measured["plain_one_s"], 2),
        "counts": {"many": many, "all": everything},
    }
    report.require(
        speedup >= SPEEDUP_BAR,
        f"a new organisation is {speedup:.1f} times as fast as its migrations, less than {SPEEDUP_BAR:.0f}",
    )
    report.require(
        measured["provision_s"] < PROVISION_BAR,
        f"a new organisation took {measured['provision_s']:.1f} s, more than {PROVISION_BAR:.0f}",
    )
    report.require(
        measured["noop_s"] <= NOOP_BAR,
        f"nothing to apply took {measured['noop_s']:.1f} s, more than {NOOP_BAR:.0f}",
    )
    report.require(
        measured["organisations"] == everything,
        f"{everything} were asked for, {measured['organisations']} are there",
    )
    report.require(
        measured["ready"] >= everything, f"{everything} were asked for, {measured['ready']} are ready"
    )
    report.require(
        not measured["different"], f"not like the template: {', '.join(measured['different'][:3])}"
    )
    return report


def _seconds(value: float) -> str:
    return f"{value:.2f} s"
