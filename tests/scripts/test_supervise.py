"""supervise: a dead child comes back, and in the end nothing is left running."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from script.devkit import system
from script.devkit.folders import ROOT
from script.devkit.programs import Program
from script.devkit.refusals import Refusal

KEEPER = """
import os, sys
from pathlib import Path
from script.devkit.folders import Folders
from script.devkit.programs import Program
from script.devkit.supervisor import Stopped, Supervisor
keeper = Supervisor(Folders(Path(sys.argv[1])))
try:
    with keeper.signals():
        keeper.start(Program("family", ["/bin/sh", "-c", "sleep 1000 & echo $!; wait"], dict(os.environ), tier=0))
        keeper.start(Program("single", ["sleep", "1000"], dict(os.environ)))
        print("up", flush=True)
        keeper.run_forever()
except Stopped:
    print("stopped", flush=True)
"""


@pytest.fixture
def keeper(folders):
    running = subprocess.Popen(
        [sys.executable, "-c", KEEPER, str(folders.var)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert running.stdout.readline() == "up\n"
    yield running
    running.terminate()
    running.wait()
    running.stdout.close()


def pids(folders) -> dict[str, int]:
    record = json.loads((folders.run / "processes.json").read_text())
    return {name: entry["pid"] for name, entry in record.items()}


def eventually(condition, seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return bool(condition())


def grandchild(folders) -> int:
    log = folders.log / "family.log"
    assert eventually(lambda: log.read_text().strip())
    return int(log.read_text())


def test_a_killed_child_is_started_again_visibly(keeper, folders):
    before = pids(folders)["single"]

    os.kill(before, signal.SIGKILL)

    assert "single ended by signal SIGKILL" in keeper.stdout.readline()
    assert eventually(lambda: pids(folders).get("single", before) != before)
    assert system.is_alive(pids(folders)["single"])
    assert f"single started again (pid {pids(folders)['single']})" in keeper.stdout.readline()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_ending_signal_stops_children_and_grandchildren(keeper, folders, number):
    everybody = [*pids(folders).values(), grandchild(folders)]
    assert all(map(system.is_alive, everybody))

    keeper.send_signal(number)

    assert keeper.wait(10) == 0
    assert keeper.stdout.read() == "stopped\n"
    assert not any(map(system.is_alive, everybody))
    assert not (folders.run / "processes.json").exists()


def test_children_end_when_the_supervisor_is_killed_or_at_the_next_start(keeper, folders, supervisor):
    everybody = [*pids(folders).values(), grandchild(folders)]

    keeper.kill()
    keeper.wait()
    supervisor.stop_leftovers()

    assert eventually(lambda: not any(map(system.is_alive, everybody)))


def test_a_recorded_process_that_is_another_one_by_now_is_left_alone(folders, supervisor):
    bystander = {"pid": os.getpid(), "birth": "another time", "boot": system.boot(), "stop_signal": 9}
    (folders.run / "processes.json").write_text(json.dumps({"web": bystander}))

    assert supervisor.stop_leftovers() == []


def test_a_child_that_dies_while_starting_is_shown_with_its_last_words(supervisor):
    program = Program("web", ["/bin/sh", "-c", "echo no such table; exit 4"], dict(os.environ))
    supervisor.start(program)

    with pytest.raises(Refusal, match=r"web ended with code 4(.|\n)*no such table"):
        supervisor.wait_for("the web interface", lambda: False, seconds=10)


def test_a_step_runs_to_its_end_and_its_output_is_kept(supervisor, folders):
    command = ["/bin/sh", "-c", "echo done; exit 3"]

    code = supervisor.run("a step", command, environment=dict(os.environ), name="step")

    assert code == 3
    assert (folders.log / "step.log").read_text() == "done\n"
    assert supervisor.children == {}


def test_the_log_of_the_start_before_is_kept(supervisor, folders):
    for word in ("first", "second"):
        supervisor.run(word, ["/bin/echo", word], environment=dict(os.environ), name="step")

    assert (folders.log / "step.log").read_text() == "second\n"
    assert (folders.log / "step.log.1").read_text() == "first\n"
