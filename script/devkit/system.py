"""What the operating system tells about processes, and how a child is tied to its parent."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1
PARENT_FIELD, CPU_FIELDS = 1, slice(11, 15)  # of /proc/PID/stat, counted as below
START_TIME_FIELD = 19  # of /proc/PID/stat, counted after the command's closing bracket
IS_LINUX = sys.platform.startswith("linux")
_libc = ctypes.CDLL(None) if IS_LINUX else None


def dies_with_parent(number: int) -> Callable[[], None] | None:
    """A preexec function: the kernel sends the signal when the parent dies. Linux only, else None."""
    libc, parent = _libc, os.getpid()
    if libc is None:
        return None

    def tie() -> None:
        libc.prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os.kill(os.getpid(), number)

    return tie


def is_alive(pid: int) -> bool:
    """Whether a process with this id exists and is no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    status = Path(f"/proc/{pid}/stat")
    if not IS_LINUX or not status.exists():
        return True
    return status.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] != "Z"


def command_line(pid: int) -> str:
    """The command of a process, empty when it is gone or hidden."""
    if IS_LINUX:
        try:
            raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return ""
        return raw.rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")
    asked = subprocess.run(
        ["ps", "-p", str(pid), "-o", "command="], check=False, capture_output=True, text=True
    )
    return asked.stdout.strip()


def boot() -> str:
    """Which start of the machine this is; empty where the system does not tell."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text(encoding="ascii").strip() if IS_LINUX and path.exists() else ""


def birth(pid: int) -> str:
    """When a process began: with its id, this names one process for good. Empty when it is gone."""
    if IS_LINUX:
        try:
            status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return f"{boot()} {status.rpartition(')')[2].split()[START_TIME_FIELD]}"
    asked = subprocess.run(
        ["ps", "-p", str(pid), "-o", "lstart="], check=False, capture_output=True, text=True
    )
    return asked.stdout.strip()


def stop_process(pid: int, *, number: int = signal.SIGTERM, seconds: float = 10) -> None:
    """End a process that is not our child and wait until it is gone."""
    for attempt in (number, signal.SIGKILL):
        try:
            os.kill(pid, attempt)
        except ProcessLookupError:
            return
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not is_alive(pid):
                return
            time.sleep(0.05)


def cpu_seconds(root: int) -> float:
    """Processor time of a process and its descendants, those that have ended included; 0 where /proc does not tell."""
    lines = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            lines[int(path.parent.name)] = path.read_text().rpartition(")")[2].split()
    chosen, size = {root} & lines.keys(), 0
    while len(chosen) > size:
        size = len(chosen)
        chosen |= {pid for pid, fields in lines.items() if int(fields[PARENT_FIELD]) in chosen}
    ticks = sum(int(ticks) for pid in chosen for ticks in lines[pid][CPU_FIELDS])
    return ticks / os.sysconf("SC_CLK_TCK")
