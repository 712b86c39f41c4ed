"""One server for each folder: the lock that says so, and the end of what a killed one left behind."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from script.devkit.folders import Folders
from script.devkit.postgres import Cluster
from script.devkit.refusals import Refusal
from script.devkit.steps import say
from script.devkit.supervisor import Supervisor


class AlreadyRunning(Refusal):
    """Another process runs the servers of this folder."""


@contextmanager
def only_one(folders: Folders, *, purpose: str) -> Iterator[None]:
    """Hold the folder's lock for the block; raise AlreadyRunning, naming the holder, when it is taken."""
    path = folders.var / "server.lock"
    with path.open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            pid, _, running = lock.read().strip().partition(" ")
            raise AlreadyRunning(
                f"the treasury of {folders.var} runs already: {running} (pid {pid}).",
                mend=f"kill {pid}    # stops it in good order",
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()} {purpose}\n")
        lock.flush()
        yield


def clear_leftovers(folders: Folders, supervisor: Supervisor) -> None:
    """End what an earlier run left when it was killed without warning. Call it while holding the lock."""
    left = supervisor.stop_leftovers()
    if Cluster(folders.postgres, port=0, password="").stop_leftover():
        left.append("postgres")
    if left:
        say(f"  ended what an earlier run left running: {', '.join(dict.fromkeys(left))}")
