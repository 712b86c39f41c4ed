"""How far behind others a process stands where processor time is short. Python's own library alone: bin/serve uses it too."""

import os
import time
from contextlib import suppress
from pathlib import Path

GROUP = Path("/proc/self/autogroup")
TRIES, PAUSE = 30, 0.1
IDLE = 19


def stand_behind(niceness: int) -> None:
    """
    Let everybody who is less nice go first, from here on and in what this process becomes or starts.

    A Linux that groups sessions (``sched_autogroup_enabled``) shares the processor out between them first, and there
    niceness counts inside of one alone: whoever leads a session says it for the whole of it as well. In a container that
    has a share of its own, the share decides.
    """
    os.nice(niceness)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # another system, or a session that may not be moved
            _move_session(niceness)


def stand_aside() -> None:
    """Take the processor time that nobody else wants, from here on and in what this process becomes or starts."""
    stand_behind(IDLE)
    with suppress(AttributeError, OSError):  # another system, or one that lets nobody choose
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _move_session(niceness: int) -> None:
    """Write it down; the kernel takes one such wish in a tenth of a second from all who are not root."""
    for _ in range(TRIES):
        with suppress(BlockingIOError):
            GROUP.write_text(str(niceness), encoding="ascii")
            return
        time.sleep(PAUSE)
