"""priority: whoever steps back does so for his session as well, so that it counts between sessions, and else for himself alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from apps.kit import priority

SAID = """
import os
from apps.kit import priority

def of_session():
    said = priority.GROUP.read_text() if priority.GROUP.exists() else ""
    return said.split()[-1] if said.strip() else None

before = of_session()
priority.stand_behind(7)
print(os.getpriority(os.PRIO_PROCESS, 0) > 0, before, of_session())
"""
ASIDE = """
import os
from apps.kit import priority

priority.stand_aside()
print(os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0) == os.SCHED_IDLE)
"""
ROOT = Path(__file__).resolve().parents[2]


def said_by(program: str, *, leads: bool) -> list[str]:
    """Run a program in a process that leads a session of its own, or does not; return the words that it wrote."""
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        start_new_session=leads,
        check=True,
        capture_output=True,
        text=True,
    )
    return ran.stdout.split()


@pytest.mark.parametrize("leads", [True, False])
def test_steps_back_in_its_session_and_with_it(leads):
    """Who leads no session leaves the niceness of that to whoever does; a machine that does not group sessions says nothing of it."""
    stood_back, before, after = said_by(SAID, leads=leads)
    assert (stood_back, after) == ("True", "7" if leads and before != "None" else before)


def test_takes_what_nobody_wants():
    assert said_by(ASIDE, leads=True) == ["19", "True"]


def test_waits_where_the_kernel_takes_no_more_wishes(monkeypatch):
    told, pauses = [], []

    class Busy:
        def write_text(self, text, **_):
            told.append(text)
            if len(told) < 3:
                raise BlockingIOError

    monkeypatch.setattr(priority, "GROUP", Busy())
    monkeypatch.setattr(priority.time, "sleep", pauses.append)
    priority._move_session(9)

    assert (told, pauses) == (["9"] * 3, [priority.PAUSE] * 2)
