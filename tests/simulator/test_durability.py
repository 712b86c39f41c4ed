"""What survives the end of the process, and how the process ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from apps.simulator import server
from apps.simulator.store import StoreUnusable

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def start(store_path, caller_of):
    """Return a function that starts the command as a process of its own, and its business."""
    processes = []

    def run(*, port):
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.simulator.command_settings"}
        command = [
            sys.executable,
            "-m",
            "django",
            "runsimulator",
            "--port",
            str(port),
            "--store",
            str(store_path),
        ]
        processes.append(
            subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        )
        caller = caller_of(f"http://127.0.0.1:{port}")
        assert "Simulator:" in processes[-1].stdout.readline()
        return processes[-1], caller

    yield run
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def free_port():
    """Return a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_remembers_everything_after_sigkill(start):
    port = free_port()
    process, business = start(port=port)
    business.register()
    paid, waiting = business.pushed(), business.pushed()
    business.script({"action": "delay_callback", "ms": 600_000}, body={"AccountReference": "LATE"})
    late = business.pushed(AccountReference="LATE")
    business.decide(paid, "approve")
    business.decide(late, "approve")
    business.inbox.wait(1)
    business.tick(30)
    before = business.statement()

    process.send_signal(signal.SIGKILL)
    process.wait()
    _, again = start(port=port)
    again.token = business.token

    assert again.statement() == before
    assert again.query(waiting).json()["errorMessage"] == "The transaction is being processed"
    again.tick(30)
    again.inbox.wait(2)
    again.tick(600)
    bodies = again.inbox.wait(3)
    assert again.inbox.results() == [0, 1037, 0]
    assert bodies[2]["Body"]["stkCallback"]["CheckoutRequestID"] == late
    again.decide(again.pushed(), "approve")
    receipts = [row["receipt"] for row in again.statement()["rows"] if row["kind"] == "payment"]
    assert len(set(receipts)) == 3


def test_stops_within_a_second_of_sigterm(start):
    process, business = start(port=free_port())
    business.register()
    business.script("hang")
    with pytest.raises(httpx.ReadTimeout):
        business.push(timeout=0.2)

    began = time.monotonic()
    process.send_signal(signal.SIGTERM)

    assert process.wait(5) == 0
    assert time.monotonic() - began < 1


def test_does_not_send_again_what_a_restart_interrupted(store_path, caller_of, inbox):
    running = server.serve(host="127.0.0.1", port=0, store_path=store_path)
    business = caller_of(running.url)
    business.register()
    business.script({"action": "delay_callback", "ms": 60_000})
    business.decide(business.pushed(), "approve")
    with running.world.store.transaction() as tx:
        tx.execute("UPDATE callback SET state = 'sending'")
    running.close()

    running = server.serve(host="127.0.0.1", port=0, store_path=store_path)
    again = caller_of(running.url)
    again.tick(60)

    (entry,) = again.log("callback")
    running.close()
    assert (entry["state"], entry["error"]) == ("failed", "interrupted by a restart")
    assert inbox.bodies == []


def test_the_same_seed_gives_the_same_identifiers(tmp_path, caller_of):
    seen = []
    for name in ("one", "two"):
        running = server.serve(host="127.0.0.1", port=0, store_path=tmp_path / name, seed=11)
        business = caller_of(running.url)
        business.register()
        business.decide(business.pushed(), "approve")
        (prompt,) = business.prompts()
        seen.append((prompt["id"], prompt["receipt"], business.token))
        running.close()

    assert seen[0] == seen[1]


def test_refuses_another_seed_for_the_same_store(store_path):
    server.serve(host="127.0.0.1", port=0, store_path=store_path, seed=1).close()

    with pytest.raises(StoreUnusable, match="made with seed 1"):
        server.serve(host="127.0.0.1", port=0, store_path=store_path, seed=2)


def test_refuses_a_store_that_another_holds(simulator, store_path):
    with pytest.raises(StoreUnusable, match="Stop the other simulator"):
        server.serve(host="127.0.0.1", port=0, store_path=store_path)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "simulator.example"])
def test_refuses_an_address_that_is_not_loopback(store_path, host):
    with pytest.raises(server.HostRefused, match="not a loopback address"):
        server.serve(host=host, port=0, store_path=store_path)

    assert not store_path.exists()


def test_refuses_a_port_that_is_taken(simulator, tmp_path):
    with pytest.raises(OSError, match="in use"):
        server.serve(host="127.0.0.1", port=simulator.http.server_port, store_path=tmp_path / "other")
