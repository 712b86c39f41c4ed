"""
How long a partner waits for an answer while new payments come at a rate, and how long a burst of callbacks takes to be booked and told.

The provider answers as slowly as a real one and leaves some requests without an answer; afterwards each payment must have
ended exactly once, by the provider's own statement.
"""

import hashlib
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from script.devkit import system
from script.devkit.benches import payments_provider as provider
from script.devkit.benches import payments_rails as rails
from script.devkit.benches.payments_running import (
    answer,
    lose_row,
    receiving,
    slug,
    stand_still,
    start,
    wait_for,
    written,
)
from script.devkit.benches.report import Report, Wish, percentiles
from script.devkit.ephemeral import RunningTreasury, running_treasury
from script.devkit.steps import step

WARM_UP = 20
NOTHING_FOR_EACH = 10
DUPLICATES = 5
"""Of a burst, one callback in so many is sent twice: a fifth of what arrives came before."""
REFERENCE = "BENCH-"
PROGRAMS = ("web", "worker", "webhooks", "providers", "documents", "beat", "postgres", "valkey", "simulator")
BAR_MS, CALLBACK_BAR_MS = 800.0, 1_000.0
BAR_PER_SECOND = 20.0


@dataclass(frozen=True)
class Size:
    """How much of it: payments a second for so many seconds, callbacks a second, and how long to wait for the rest."""

    rate: int
    seconds: float
    callbacks: int
    callback_rate: int
    patience: float
    compared: int
    has_time_outs: bool


WHOLE = Size(
    rate=50,
    seconds=120.0,
    callbacks=2_500,
    callback_rate=100,
    patience=600.0,
    compared=200,
    has_time_outs=True,
)
QUICK = Size(
    rate=20, seconds=4.0, callbacks=40, callback_rate=100, patience=60.0, compared=40, has_time_outs=False
)
SPOILT = Size(
    rate=20, seconds=1.0, callbacks=4, callback_rate=100, patience=240.0, compared=4, has_time_outs=False
)
"""Enough for a run that must turn red."""


def run(wish: Wish) -> Report:
    """Start everything as script/server does but for the limits of keys, load it from other processes, wait, count."""
    size = SPOILT if wish.plants else QUICK if wish.is_quick else WHOLE
    seconds = wish.seconds or size.seconds
    with ExitStack() as stack:
        os.environ.update(
            dict.fromkeys(
                ("TREASURY_LIMIT_TEST_KEY", "TREASURY_LIMIT_MONEY", "TREASURY_LIMIT_ORGANISATION"), "0"
            )
        )
        receiver = stack.enter_context(receiving())
        os.environ["TREASURY_WEBHOOK_LOOPBACK"] = receiver
        with step("the treasury, durable"):
            treasury = stack.enter_context(running_treasury(is_durable=True))
        keys = answer(start(treasury, "payments_keys", slug(treasury), receiver), "payments_keys")
        initiated = _initiate(treasury, keys["listening"], size, seconds, is_stopped="delay" in wish.plants)
        overhead = _overhead(treasury, keys["silent"], size.compared)
        burst = _burst(treasury, keys["listening"], size, overhead)
        if "lost-row" in wish.plants:
            lose_row(treasury)
        checked = _check(treasury, [*initiated["accepted"], *burst["accepted"]], patience=0.0, is_all=True)
    return conclude(
        wish,
        size,
        sent=WARM_UP + round(seconds * size.rate),
        initiated=initiated,
        overhead=overhead,
        burst=burst,
        checked=checked,
    )


def conclude(
    wish: Wish,
    size: Size,
    *,
    sent: int,
    initiated: dict[str, Any],
    overhead: dict[str, Any],
    burst: dict[str, Any],
    checked: dict[str, Any],
) -> Report:
    """The report: what was measured, and every reason to call it red."""
    report = Report("payments", wish.is_quick)
    waited, answered = percentiles(initiated["latencies"]), percentiles(burst["latencies"])
    errors, accepted = sum(initiated["problems"].values()), len(initiated["accepted"])
    doubled = sum(checked["doubled"].values())
    lost = checked["lost"]
    burst_of = len(burst["accepted"])
    per_second = round(burst_of / max(0.001, burst["seconds"] + burst["drain_s"]), 1)
    report.table = [
        ["payments", f"at {size.rate} /s"],
        *([name.removesuffix("_ms").upper(), f"{ms:.0f} ms"] for name, ms in waited.items()),
        ["asked for", str(sent)],
        ["answered with an error, or not", str(errors)],
        ["last receipt after the last request", f"{initiated['settle_seconds']:.0f} s"],
        [f"callbacks at {size.callback_rate} /s, {burst['posted']} of {burst_of} payments", ""],
        *([name.removesuffix("_ms").upper(), f"{ms:.0f} ms"] for name, ms in answered.items()),
        ["booked, receipted and told after the last one", f"{burst['drain_s']:.1f} s"],
        ["payments a second, burst and drain", str(per_second)],
        ["processor time of a request, as a multiple of an empty view", f"{overhead['ratio']:.1f}"],
        [
            "processor time of a payment from request to receipt",
            f"{sum(initiated['cpu_ms'].values()):.0f} ms",
        ],
    ]
    report.keys = {
        "rate": size.rate,
        "initiation_p50_ms": waited["p50_ms"],
        "initiation_p95_ms": waited["p95_ms"],
        "initiation_p99_ms": waited["p99_ms"],
        "errors": errors,
        "problems": initiated["problems"],
        "callback_p50_ms": answered["p50_ms"],
        "callback_p99_ms": answered["p99_ms"],
        "callback_max_ms": burst["slowest_ms"],
        "drain_s": burst["drain_s"],
        "drained_per_s": per_second,
        "lost": lost,
        "doubled": doubled,
        "overhead_ratio": overhead["ratio"],
        "cpu_ms_per_payment": initiated["cpu_ms"],
        "ledger_clean": not checked["findings"],
        "statement_equal": not checked["unequal"],
        "not_answered_by_the_provider": checked["unanswered"],
    }
    report.require(waited["p99_ms"] < BAR_MS, f"P99 is {waited['p99_ms']} ms, the bar {BAR_MS:.0f} ms")
    report.require(not errors, f"{errors} had no answer at first: {initiated['problems']}")
    report.require(accepted == sent, f"{sent} were sent, {accepted} accepted")
    report.require(
        burst["slowest_ms"] < CALLBACK_BAR_MS,
        f"a callback waited {burst['slowest_ms']} ms, the bar {CALLBACK_BAR_MS:.0f} ms",
    )
    report.require(
        burst["stored"] == burst["posted"] - len(burst["refused"]),
        f"{burst['posted']} callbacks were sent, {burst['stored']} stored before their answer",
    )
    report.require(not burst["refused"], f"callbacks were refused: {burst['refused'][:3]}")
    report.require(
        wish.is_quick or per_second >= BAR_PER_SECOND,
        f"{per_second} payments a second, the bar {BAR_PER_SECOND:.0f}",
    )
    report.require(not lost, f"{lost} accepted payments are lost")
    report.require(
        not checked["never_accepted"], f"{checked['never_accepted']} payments were made that nobody accepted"
    )
    for what, count in checked["doubled"].items():
        report.require(not count, f"{count} payments were {what} more than once")
    for what, count in checked["missing"].items():
        report.require(not count, f"{count} payments were not {what}")
    report.require(not checked["waiting"], f"{checked['waiting']} events or webhooks have not been delivered")
    report.require(not checked["findings"], f"ledger_verify: {checked['findings'][:3]}")
    report.require(not checked["unequal"], f"ledger and statement differ: {checked['unequal'][:3]}")
    return report


def _initiate(
    treasury: RunningTreasury, keys: list[str], size: Size, seconds: float, *, is_stopped: bool
) -> dict[str, Any]:
    """Send at the rate while payers pay; for a planted delay the web processes stand still for two seconds meanwhile."""
    provider.answer_slowly(treasury.simulator_url)
    job = _job(treasury, keys, count=round(seconds * size.rate), first=0) | {
        "rate": size.rate,
        "warm_up": WARM_UP,
        "special": provider.SPECIAL if size.has_time_outs else {},
        "rails": rails.BY_LAST_DIGIT,
    }
    before = cpu(treasury)
    with step(f"{WARM_UP} payments to warm up, {job['count']} at {size.rate} /s"):
        load = start(treasury, "payments_load", written(treasury, "load", job))
        if is_stopped:
            wait_for(job["mark"])
            stand_still(treasury, after=seconds / 2)
        loaded = answer(load, "payments_load")
    checked = _check(treasury, loaded["accepted"], patience=size.patience)
    used = cpu(treasury)
    each = max(1, len(loaded["accepted"]))
    return {
        **loaded,
        "settle_seconds": checked["seconds"],
        "cpu_ms": {name: round((used[name] - before.get(name, 0.0)) * 1000 / each, 1) for name in used},
    }


def _overhead(treasury: RunningTreasury, key: str, count: int) -> dict[str, Any]:
    """Return the web processes' time for a payment as a multiple of that for a view that does nothing, and which were made."""
    stood = provider.stand_still(treasury.simulator_url)
    job = _job(treasury, [key], count=0, first=900_000) | {"warm_up": count, "rate": 1}
    with step(f"{count} payments and {count * NOTHING_FOR_EACH} requests of an empty view"):
        before = cpu(treasury)["web"]
        made = answer(start(treasury, "payments_load", written(treasury, "overhead", job)), "payments_load")
        between = cpu(treasury)["web"]
        nothing = {"url": f"{treasury.url}/healthz", "count": count * NOTHING_FOR_EACH}
        answer(start(treasury, "payments_nothing", written(treasury, "nothing", nothing)), "payments_nothing")
        after = cpu(treasury)["web"]
    empty = max(after - between, 0.01) / (count * NOTHING_FOR_EACH)
    ratio = round((between - before) / count / empty, 1)
    return {"ratio": ratio, "accepted": made["accepted"], "stood": stood}


def _burst(
    treasury: RunningTreasury, keys: list[str], size: Size, overhead: dict[str, Any]
) -> dict[str, Any]:
    """
    Have many payers pay at once, by every rail, and deliver the callbacks shuffled, one in five twice, at the rate of the burst;
    those of the overhead wait too.
    """
    job = _job(treasury, keys, count=0, first=1_000_000) | {
        "warm_up": size.callbacks,
        "rate": 1,
        "rails": rails.BY_LAST_DIGIT,
    }
    with step(f"{size.callbacks} payments that wait for their payers"):
        made = answer(start(treasury, "payments_load", written(treasury, "waiting", job)), "payments_load")
        accepted = [*overhead["accepted"], *made["accepted"]]
        stood = overhead["stood"]
        provider.wait_for_requests(treasury.simulator_url, stood, len(accepted), patience=size.patience)
    with step("their callbacks"):
        callbacks = provider.callbacks_of_all(treasury.simulator_url, stood)
        posts = {"callbacks": callbacks, "rate": size.callback_rate, "each_twice": DUPLICATES}
        posted = answer(
            start(treasury, "payments_burst", written(treasury, "burst", posts)), "payments_burst"
        )
        told = [hashlib.sha256(one["text"].encode()).hexdigest() for one in callbacks]
        checked = _check(treasury, accepted, patience=size.patience, callbacks=told)
    return {
        **posted,
        "accepted": accepted,
        "stored": checked["stored"],
        "drain_s": checked["seconds"],
    }


def _check(
    treasury: RunningTreasury,
    accepted: list[str],
    *,
    patience: float,
    is_all: bool = False,
    callbacks: Sequence[str] = (),
) -> dict[str, Any]:
    """Count what became of payments once they have settled, and how often callbacks of these SHA-256 were stored."""
    job = {
        "organisation": slug(treasury),
        "simulator": treasury.simulator_url,
        "accepted": accepted,
        "reference": REFERENCE,
        "unanswered": provider.UNANSWERED,
        "patience": patience,
        "is_all": is_all,
        "callbacks": list(callbacks),
    }
    with step("wait until all have settled, then count"):
        return answer(start(treasury, "payments_check", written(treasury, "check", job)), "payments_check")


def _job(treasury: RunningTreasury, keys: list[str], *, count: int, first: int) -> dict[str, Any]:
    return {
        "api_base": treasury.demo["api_base"],
        "api_keys": keys,
        "count": count,
        "first": first,
        "reference": REFERENCE,
        "amounts": provider.AMOUNTS,
        "special": {},
        "rails": {},
        "mark": str(treasury.folders.var / f"bench-load-{first}-began"),
    }


def cpu(treasury: RunningTreasury) -> dict[str, float]:
    """Processor time that each program has used so far, with all its children."""
    found = {name: treasury.pid(name) for name in PROGRAMS}
    return {name: system.cpu_seconds(pid) for name, pid in found.items() if pid is not None}
