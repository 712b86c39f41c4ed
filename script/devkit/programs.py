"""A program that the supervisor keeps running, and the process that it is at the moment."""

import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from script.devkit.unprivileged import Identity

DATABASES, SERVICES, INTERFACES = 0, 1, 2


@dataclass(frozen=True)
class Program:
    """How to start and stop one program. Tiers stop from the highest to the lowest."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    tier: int = INTERFACES
    stop_signal: int = signal.SIGTERM
    stop_seconds: float = 15
    identity: Identity | None = None
    folder: Path | None = None


@dataclass
class Child:
    """One life of a program, or the pause before its next one."""

    program: Program
    log: Path
    process: subprocess.Popen[bytes]
    started_at: float = field(default_factory=time.monotonic)
    restarts: int = 0
    restart_at: float | None = None
    shown_bytes: int = 0

    @property
    def is_running(self) -> bool:
        return self.restart_at is None and self.process.poll() is None

    def ending(self) -> str:
        """In words, how the process ended."""
        code = self.process.returncode
        return f"by signal {signal.Signals(-code).name}" if code < 0 else f"with code {code}"

    def last_lines(self, count: int = 25) -> str:
        """The end of its log, indented for a message."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]
        return "\n".join(f"    {line}" for line in lines)
