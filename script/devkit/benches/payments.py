"""How long a partner waits for an answer at 20 new payments a second; then whether each of them ended exactly once."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from script.devkit import environment, system
from script.devkit.benches.report import Report, Wish, percentiles
from script.devkit.ephemeral import RunningTreasury, running_treasury
from script.devkit.folders import PYTHON, ROOT
from script.devkit.refusals import Refusal
from script.devkit.steps import step

RATE = 20
WARM_UP, WARM_UP_SECONDS = 20, 60.0
SECONDS, QUICK_SECONDS = 60.0, 4.0
PATIENCE, QUICK_PATIENCE = 180.0, 20.0
BAR_MS = 800.0
PLANTED_STOP = 2.0
REFERENCE = "BENCH-"
PROGRAMS = ("web", "worker", "documents", "beat", "postgres", "valkey", "simulator")
PUSH = "/mpesa/stkpush/v1/processrequest"


def run(wish: Wish) -> Report:
    """Start everything as script/server does but for the limit of a test key, load it from another process, wait, count."""
    seconds = wish.seconds or (QUICK_SECONDS if wish.is_quick else SECONDS)
    with ExitStack() as stack:
        os.environ.update(dict.fromkeys(("TREASURY_LIMIT_TEST_KEY", "TREASURY_LIMIT_MONEY"), "0"))
        with step("the treasury, durable"):
            treasury = stack.enter_context(running_treasury(is_durable=True))
        _let_everybody_pay(treasury)
        before = _cpu(treasury)
        loaded = _load(treasury, seconds, is_stopped="delay" in wish.plants)
        checked = _check(treasury, loaded["accepted"], QUICK_PATIENCE if wish.is_quick else PATIENCE)
        if "lost-row" in wish.plants:
            _lose_row(treasury)
            checked = _check(treasury, loaded["accepted"], 0.0)
        checked["cpu_ms_per_payment"] = {
            name: round((used - before.get(name, 0.0)) * 1000 / max(1, len(loaded["accepted"])), 1)
            for name, used in _cpu(treasury).items()
        }
    return conclude(wish, sent=WARM_UP + round(seconds * RATE), loaded=loaded, checked=checked)


def conclude(wish: Wish, *, sent: int, loaded: dict[str, Any], checked: dict[str, Any]) -> Report:
    """The report: what was measured, and every reason to call it red."""
    report = Report("payments", wish.is_quick)
    waited, accepted = percentiles(loaded["latencies"]), len(loaded["accepted"])
    problems = sum(loaded["problems"].values())
    report.table = [
        ["initiation, from the scheduled time", f"at {RATE} /s"],
        *(
            [name.removesuffix("_ms").upper(), f"{milliseconds:.0f} ms"]
            for name, milliseconds in waited.items()
        ),
        ["sent", str(sent)],
        ["accepted", str(accepted)],
        ["asked for more than once", str(problems)],
        ["settled", str(checked["settled"])],
        ["processor time of a payment", f"{sum(checked['cpu_ms_per_payment'].values()):.0f} ms"],
        ["last receipt after the last request", f"{checked['settle_seconds']:.1f} s"],
    ]
    report.keys = {
        "rate": RATE,
        "sent": sent,
        "accepted": accepted,
        **waited,
        "problems": loaded["problems"],
        **checked,
    }
    report.require(waited["p99_ms"] < BAR_MS, f"P99 is {waited['p99_ms']} ms, the bar {BAR_MS:.0f} ms")
    report.require(not problems, f"{problems} had no answer at first: {loaded['problems']}")
    report.require(accepted == sent, f"{sent} were sent, {accepted} accepted")
    report.require(
        checked["settled"] == accepted, f"{accepted} were accepted, {checked['settled']} have settled"
    )
    report.require(not checked["unknown_to_us"], f"{checked['unknown_to_us']} accepted payments are lost")
    report.require(
        not checked["never_accepted"], f"{checked['never_accepted']} payments were made that nobody accepted"
    )
    for what, count in checked["not_once"].items():
        report.require(not count, f"{count} payments were not {what} exactly once")
    report.require(not checked["findings"], f"ledger_verify: {checked['findings'][:3]}")
    report.require(
        checked["settled"] < accepted or checked["ledger_minor"] == checked["statement_minor"],
        f"the ledger holds {checked['ledger_minor']} minor units, the provider's statement {checked['statement_minor']}",
    )
    return report


def _let_everybody_pay(treasury: RunningTreasury) -> None:
    """Have the simulator pay every prompt after 2 seconds, as its magic number does, whoever is asked."""
    script = {
        "match": {"path": PUSH, "method": "POST"},
        "times": None,
        "actions": [{"action": "result", "code": "0"}],
    }
    request = urllib.request.Request(  # noqa: S310 (our own simulator)
        f"{treasury.simulator_url}/__control/scripts",
        data=json.dumps(script).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10):
        pass


def _load(treasury: RunningTreasury, seconds: float, *, is_stopped: bool) -> dict[str, Any]:
    """Send from a process of its own; for a planted delay the web processes stand still for two seconds meanwhile."""
    job = {
        "api_base": treasury.demo["api_base"],
        "api_key": treasury.demo["api_key"],
        "rate": RATE,
        "warm_up": WARM_UP,
        "count": round(seconds * RATE),
        "reference": REFERENCE,
        "mark": str(treasury.folders.var / "bench-load-began"),
    }
    with step(f"{WARM_UP} payments to warm up, {job['count']} at {RATE} /s"):
        load = _start(treasury, "payments_load", _written(treasury, "load", job))
        if is_stopped:
            _wait_for(Path(job["mark"]))
            _stand_still(treasury, after=seconds / 2)
        return _answer(load, "payments_load")


def _wait_for(mark: Path) -> None:
    """Return once the load has warmed up."""
    end = time.monotonic() + WARM_UP_SECONDS
    while not mark.exists():
        if time.monotonic() > end:
            raise Refusal(f"{WARM_UP} payments took more than {WARM_UP_SECONDS:.0f} s.")
        time.sleep(0.05)


def _stand_still(treasury: RunningTreasury, *, after: float) -> None:
    """Stop the web processes, the master and its workers, and let them go on two seconds later."""
    time.sleep(after)
    master = treasury.pid("web")
    if master is None:
        raise Refusal("the web process is not running.")
    os.killpg(master, signal.SIGSTOP)
    time.sleep(PLANTED_STOP)
    os.killpg(master, signal.SIGCONT)


def _lose_row(treasury: RunningTreasury) -> None:
    lost = _start(treasury, "plants", f"org_{_slug(treasury)}", role="owner")
    if lost.wait():
        raise Refusal(f"no row could be lost: code {lost.returncode}")


def _check(treasury: RunningTreasury, accepted: list[str], patience: float) -> dict[str, Any]:
    job = {
        "organisation": _slug(treasury),
        "simulator": treasury.simulator_url,
        "accepted": accepted,
        "reference": REFERENCE,
        "patience": patience,
    }
    with step("wait until all have settled, then count"):
        return _answer(_start(treasury, "payments_check", _written(treasury, "check", job)), "payments_check")


def _cpu(treasury: RunningTreasury) -> dict[str, float]:
    """Processor time that each program has used so far, with all its children."""
    found = {name: treasury.pid(name) for name in PROGRAMS}
    return {name: system.cpu_seconds(pid) for name, pid in found.items() if pid is not None}


def _slug(treasury: RunningTreasury) -> str:
    return str(treasury.demo["api_base"]).rstrip("/").rpartition("/")[2]


def _written(treasury: RunningTreasury, name: str, job: dict[str, Any]) -> str:
    path: Path = treasury.folders.var / f"bench-{name}.json"
    path.write_text(json.dumps(job), encoding="utf-8")
    return str(path)


def _start(
    treasury: RunningTreasury, module: str, argument: str, *, role: str = "app"
) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [str(PYTHON), "-m", f"script.devkit.benches.{module}", argument],
        cwd=ROOT,
        env={**environment.base(), **treasury.variables, "DB_ROLE": role},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )


def _answer(running: "subprocess.Popen[str]", module: str) -> dict[str, Any]:
    """The JSON object that the process has written as its last line."""
    output, _ = running.communicate()
    if running.returncode:
        raise Refusal(f"{module} ended with code {running.returncode}")
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found
