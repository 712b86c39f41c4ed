"""Starts programs, restarts those that die, and stops all of them so that nothing is left running."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from script.devkit import system
from script.devkit.folders import Folders
from script.devkit.programs import Child, Program
from script.devkit.refusals import Refusal
from script.devkit.steps import say

FIRST_PAUSE, LONGEST_PAUSE, STEADY_SECONDS = 0.3, 30.0, 60.0
TICK = 0.1
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody pressed Ctrl-C or sent SIGTERM; everything is to end in good order."""


class Supervisor:
    """
    Keeps programs running from one thread: `tick` does what is due and returns at once.

    Every child leads a process group of its own. On Linux the kernel ends a child when this process
    dies in any way. The ids of the living are kept in `run/processes.json`.
    """

    def __init__(self, folders: Folders, *, is_verbose: bool = False) -> None:
        self.folders = folders
        self.is_verbose = is_verbose
        self.children: dict[str, Child] = {}
        self._record = folders.run / "processes.json"
        self._is_guarded = False
        self._is_stop_wanted = False
        self._is_stopping = False

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Turn the ending signals into `Stopped`, once; while stopping, they are ignored."""
        before = {number: signal.signal(number, self._on_signal) for number in ENDING_SIGNALS}
        try:
            yield
        finally:
            self.stop_all()
            for number, handler in before.items():
                signal.signal(number, handler)

    def start(self, program: Program) -> Child:
        """Start a program with a fresh log; the previous log is kept as NAME.log.1."""
        log = self.folders.log / f"{program.name}.log"
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        with self._guarded():
            child = Child(program=program, log=log, process=self._spawn(program, log))
            self.children[program.name] = child
            self._write_record()
        return child

    def run(
        self,
        title: str,
        command: list[str],
        *,
        environment: Mapping[str, str],
        name: str,
        is_serving: bool = False,
    ) -> int:
        """
        Run a command to its end, its output in NAME.log; return its exit code. Children are watched meanwhile: one that
        dies is a refusal, and once all of them serve it is started again.
        """
        child = self.start(Program(name=name, command=command, environment=environment))
        try:
            while child.process.poll() is None:
                if is_serving:
                    self.tick(besides=name)
                else:
                    self.require_alive(besides=name)
                time.sleep(TICK / 2)
        finally:
            self._end_group(child)
            self.children.pop(name)
            self._write_record()
            self._show_new_output(child)
        if child.process.returncode < 0:
            raise Refusal(f"{title} was ended {child.ending()}. Log: {child.log}")
        return child.process.returncode

    def require_alive(self, *, besides: str = "") -> None:
        """Refuse, with the end of its log, when a child has died while the others are being started."""
        for child in self.children.values():
            self._show_new_output(child)
            if child.program.name != besides and child.process.poll() is not None:
                raise Refusal(
                    f"{child.program.name} ended {child.ending()} while starting. The end of {child.log}:\n"
                    f"{child.last_lines()}"
                )

    def wait_for(self, what: str, is_ready: Callable[[], bool], *, seconds: float) -> None:
        """Wait until it is ready; refuse when a child dies or the time is up."""
        end = time.monotonic() + seconds
        while not is_ready():
            self.require_alive()
            if time.monotonic() > end:
                raise Refusal(f"{what} was not ready after {seconds:.0f} s. Logs: {self.folders.log}")
            time.sleep(TICK / 2)

    def run_forever(self) -> None:
        """Keep everything running until somebody stops it."""
        while True:
            self.tick()
            time.sleep(TICK)

    def tick(self, *, besides: str = "") -> None:
        """Notice the dead, start again those whose pause is over, show new output."""
        for child in self.children.values():
            self._show_new_output(child)
            if child.program.name == besides:
                continue
            if child.restart_at is None and child.process.poll() is not None:
                self._plan_restart(child)
            if child.restart_at is not None and time.monotonic() >= child.restart_at:
                self._restart(child)

    def stop_all(self) -> None:
        """Stop everything, the last started tier first; returns when every process is gone."""
        self._is_stopping = True
        while self.children:
            tier = max(child.program.tier for child in self.children.values())
            chosen = [child for child in reversed(self.children.values()) if child.program.tier == tier]
            for child in chosen:
                if child.is_running:
                    child.process.send_signal(child.program.stop_signal)
            for child in chosen:
                with suppress(subprocess.TimeoutExpired):
                    child.process.wait(child.program.stop_seconds)
                self._end_group(child)
                self._show_new_output(child)
                del self.children[child.program.name]
        self._record.unlink(missing_ok=True)

    def stop_leftovers(self) -> list[str]:
        """End what an earlier supervisor, killed without warning, may have left; return the names."""
        if not self._record.is_file():
            return []
        ended = []
        for name, entry in json.loads(self._record.read_text(encoding="utf-8")).items():
            pid, is_leader_alive = entry["pid"], system.is_alive(entry["pid"])
            if is_leader_alive and system.birth(pid) != entry["birth"]:
                continue  # another process has this id by now
            if is_leader_alive:
                system.stop_process(pid, number=entry["stop_signal"])
                ended.append(name)
            if entry["boot"] and entry["boot"] == system.boot():
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(
                        pid, signal.SIGKILL
                    )  # what the leader had started; its id stays taken until then
        self._record.unlink()
        return ended

    def _spawn(self, program: Program, log: Path) -> "subprocess.Popen[bytes]":
        identity = program.identity.popen_arguments() if program.identity else {}
        with log.open("ab") as output:
            return subprocess.Popen(
                program.command,
                cwd=program.folder,
                env=dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=system.dies_with_parent(program.stop_signal),  # noqa: PLW1509 (one thread only)
                **identity,
            )

    def _plan_restart(self, child: Child) -> None:
        lived = time.monotonic() - child.started_at
        if lived > STEADY_SECONDS:
            child.restarts = 0
        self._end_group(child)
        pause = min(FIRST_PAUSE * 2**child.restarts, LONGEST_PAUSE)
        child.restart_at = time.monotonic() + pause
        say(
            f"  {child.program.name} ended {child.ending()} after {lived:.1f} s; starting it again in {pause:.1f} s"
        )

    def _restart(self, child: Child) -> None:
        with self._guarded():
            child.process = self._spawn(child.program, child.log)
            child.started_at = time.monotonic()
            child.restarts += 1
            child.restart_at = None
            self._write_record()
        say(f"  {child.program.name} started again (pid {child.process.pid})")

    def _end_group(self, child: Child) -> None:
        """Leave nothing of the child's process group, whatever state the child is in."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()

    def _show_new_output(self, child: Child) -> None:
        if not self.is_verbose or not child.log.exists():
            return
        with child.log.open("rb") as log:
            log.seek(child.shown_bytes)
            fresh = log.read()
        complete = fresh[: fresh.rfind(b"\n") + 1]
        child.shown_bytes += len(complete)
        for line in complete.decode(errors="replace").splitlines():
            say(f"  {child.program.name:>10} | {line}")

    def _write_record(self) -> None:
        living = {
            name: {
                "pid": child.process.pid,
                "birth": system.birth(child.process.pid),
                "boot": system.boot(),
                "stop_signal": int(child.program.stop_signal),
                "restarts": child.restarts,
            }
            for name, child in self.children.items()
            if child.is_running
        }
        fresh = self._record.with_suffix(".new")
        fresh.write_text(json.dumps(living, indent=2) + "\n", encoding="utf-8")
        fresh.replace(self._record)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """A signal inside the block takes effect at its end, so that no child is started and forgotten."""
        self._is_guarded = True
        try:
            yield
        finally:
            self._is_guarded = False
        if self._is_stop_wanted and not self._is_stopping:
            raise Stopped

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self._is_stop_wanted or self._is_stopping:
            return
        self._is_stop_wanted = True
        if not self._is_guarded:
            raise Stopped
