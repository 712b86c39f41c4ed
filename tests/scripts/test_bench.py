"""script/bench: what it calls red, how it counts time, and that a planted delay and a planted lost row do turn it red."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from apps.events.models import (
    DeliveryStatus,
    EventDelivery,
    OutboxEvent,
    WebhookDelivery,
    WebhookStatus,
)
from script.devkit.benches import ledger, ledger_cases, payments, payments_check, tenancy
from script.devkit.benches.report import Report, Wish, percentiles
from tests.factories import access, events
from tests.factories import payments as factory

ROOT = Path(__file__).resolve().parents[2]
INITIATED = {
    "accepted": ["pi_1", "pi_2"],
    "latencies": [0.05, 0.06],
    "problems": {},
    "settle_seconds": 3.0,
    "cpu_ms": {"web": 20.0},
}
OVERHEAD = {"ratio": 12.0}
BURST = {
    "latencies": [0.01, 0.02],
    "slowest_ms": 20.0,
    "posted": 100,
    "stored": 100,
    "refused": [],
    "accepted": [f"pi_{number}" for number in range(80)],
    "seconds": 1.0,
    "drain_s": 1.0,
}
COUNTED = {"booked": 0, "announced": 0, "receipted": 0, "paid": 0}
CHECKED = {
    "unanswered": 0,
    "lost": 0,
    "never_accepted": 0,
    "doubled": COUNTED,
    "missing": COUNTED,
    "waiting": 0,
    "findings": [],
    "unequal": [],
}
MEASURED = {
    "provision_s": 1.0,
    "provision_many_s": 50.0,
    "plain_s": 8.0,
    "noop_s": 4.0,
    "plain_noop_s": 30.0,
    "one_s": 60.0,
    "plain_one_s": 70.0,
    "switch_us": 120.4,
    "organisations": 100,
    "ready": 100,
    "different": [],
}
VERDICT = {"transactions": 30, "findings": []}


def of_payments(
    *,
    sent: int = 2,
    initiated: dict[str, Any] | None = None,
    burst: dict[str, Any] | None = None,
    **checked: Any,
) -> Report:
    return payments.conclude(
        Wish(),
        payments.WHOLE,
        sent=sent,
        initiated={**INITIATED, **(initiated or {})},
        overhead=OVERHEAD,
        burst={**BURST, **(burst or {})},
        checked={**CHECKED, **checked},
    )


def of_ledger(*, rate: float = 80.0, trial_balance_ms: float = 20.0, **verdict: Any) -> Report:
    results = {
        case: [ledger.Measured(100.0 if case.is_baseline else rate * case.each, 1.0)]
        for case in ledger_cases.CASES
    }
    tally = ledger.Tally(booked=30, transfers=10, bytes_of_transfers=8_000)
    history = {"point_in_time_ms": 1.5, "trial_balance_ms": trial_balance_ms}
    return ledger.conclude(Wish(is_quick=True), results, tally, {**VERDICT, **verdict}, history)


def of_tenancy(**measured: Any) -> Report:
    return tenancy.conclude(Wish(), many=50, everything=100, measured={**MEASURED, **measured})


def test_takes_percentiles_from_what_was_measured():
    hundred = [number / 1000 for number in range(1, 101)]

    assert percentiles(hundred) == {"p50_ms": 50.0, "p95_ms": 95.0, "p99_ms": 99.0}
    assert percentiles([])["p50_ms"] == 3_600_000.0
    assert percentiles([0.7]) == {"p50_ms": 700.0, "p95_ms": 700.0, "p99_ms": 700.0}


def test_ends_with_one_json_object():
    report = of_ledger()

    last = json.loads(report.lines()[-1])
    assert (last["bench"], last["quick"], last["red"]) == ("ledger", True, [])
    assert last["ratios"]["sql transfer, spread, 1"] == 0.8
    assert (last["transfer_ratio"], last["batch100_ratio"], last["cpu_ratio"]) == (0.8, 80.0, 1.0)
    assert (last["point_in_time_ms"], last["bytes_per_transfer"], last["ledger_clean"]) == (1.5, 800, True)
    of_two = of_payments()
    assert of_two.red == []
    assert (of_two.keys["overhead_ratio"], of_two.keys["drained_per_s"], of_two.keys["lost"]) == (
        12.0,
        40.0,
        0,
    )
    assert of_tenancy().red == []
    assert of_tenancy().keys["provision_speedup"] == 8.0


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (
            of_tenancy(provision_s=2.0),
            "a new organisation is 4.0 times as fast as its migrations, less than 5",
        ),
        (of_tenancy(provision_s=3.5, plain_s=30.0), "a new organisation took 3.5 s, more than 3"),
        (of_tenancy(noop_s=10.1), "nothing to apply took 10.1 s, more than 10"),
        (of_tenancy(organisations=99), "100 were asked for, 99 are there"),
        (of_tenancy(ready=99), "100 were asked for, 99 are ready"),
        (of_tenancy(different=["row7"]), "not like the template: row7"),
        (of_ledger(rate=29.0), "transfer_ratio is 0.29 of tpcb-like, less than 0.3"),
        (of_ledger(trial_balance_ms=1300.0), "trial_balance_ms is 1300.0, more than 1250.0"),
        (of_ledger(transactions=29), "30 were booked, 29 are in the books"),
        (of_ledger(transactions=31), "30 were booked, 31 are in the books"),
        (of_ledger(findings=[{"problem": "has 1 of 2 legs"}]), "ledger_verify: ['has 1 of 2 legs']"),
        (of_payments(initiated={"latencies": [0.05, 0.8]}), "P99 is 800.0 ms, the bar 800 ms"),
        (of_payments(initiated={"problems": {"503": 1}}), "1 had no answer at first: {'503': 1}"),
        (of_payments(sent=3), "3 were sent, 2 accepted"),
        (of_payments(burst={"slowest_ms": 1000.0}), "a callback waited 1000.0 ms, the bar 1000 ms"),
        (
            of_payments(burst={"stored": 99}),
            "100 callbacks were sent, 99 stored before their answer",
        ),
        (of_payments(burst={"refused": ["503"], "stored": 99}), "callbacks were refused: ['503']"),
        (of_payments(burst={"drain_s": 3.5}), "17.8 payments a second, the bar 20"),
        (of_payments(lost=1), "1 accepted payments are lost"),
        (of_payments(never_accepted=1), "1 payments were made that nobody accepted"),
        (of_payments(doubled={**COUNTED, "booked": 1}), "1 payments were booked more than once"),
        (of_payments(missing={**COUNTED, "receipted": 1}), "1 payments were not receipted"),
        (of_payments(waiting=1), "1 events or webhooks have not been delivered"),
        (of_payments(findings=["I1 broken"]), "ledger_verify: ['I1 broken']"),
        (of_payments(unequal=["Cards: 49 and 50"]), "ledger and statement differ: ['Cards: 49 and 50']"),
    ],
)
def test_turns_red_for_one_reason(report, reason):
    assert report.red == [reason]


def test_what_was_given_up_is_on_its_way_no_more_and_undone_all_the_same(acme):
    events.endpoint(application_id=access.application().id)
    intent = factory.intent()
    event = OutboxEvent.objects.get(aggregate_id=intent.id)
    EventDelivery.objects.create(
        event=event,
        seq=1,
        aggregate_id=intent.id,
        handler="tests.scripts.absent",
        queue="events",
        is_atomic=True,
        available_at=factory.NOW,
    )
    all_of_them = EventDelivery.objects.exclude(queue="documents").count() + len(events.planned(event))
    assert (payments_check.waiting(), payments_check.undone()) == (all_of_them, all_of_them)

    over = {"next_attempt_at": None, "finished_at": factory.NOW}
    WebhookDelivery.objects.update(status=WebhookStatus.EXHAUSTED, **over)
    EventDelivery.objects.update(status=DeliveryStatus.DEAD)
    assert (payments_check.waiting(), payments_check.undone()) == (0, all_of_them)

    WebhookDelivery.objects.update(status=WebhookStatus.DELIVERED)
    EventDelivery.objects.update(status=DeliveryStatus.SKIPPED, finished_at=factory.NOW)
    assert payments_check.undone() == 0


@pytest.mark.parametrize(
    ("name", "seconds", "slow", "lost"),
    [
        ("ledger", "0.3", "transfer_ratio is", "are in the books"),
        ("payments", "1", "the bar 800 ms", "payments were not booked"),
    ],
)
def test_sees_a_delay_and_a_lost_row(name, seconds, slow, lost):
    """The run is spoilt in both ways at once; each of them is seen and named."""
    plants = ["--plant", "delay", "--plant", "lost-row"]

    done = subprocess.run(
        [ROOT / "script" / "bench", name, "--quick", "--seconds", seconds, *plants],
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1, done.stdout + done.stderr
    red = json.loads(done.stdout.splitlines()[-1])["red"]
    assert [reason for reason in red if slow in reason], red
    assert [reason for reason in red if lost in reason], red
    assert [reason for reason in red if "ledger_verify" in reason], red
