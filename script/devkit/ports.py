"""TCP ports on loopback: which are free, who holds one, and which this checkout has chosen."""

import json
import random
import shutil
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

from script.devkit import system
from script.devkit.refusals import Refusal

CHOICE = range(20_000, 32_000)
LISTEN = "0A"


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose(*, taken: set[int]) -> int:
    """A free port below the range that the system hands out by itself."""
    for _ in range(200):
        port = random.choice(CHOICE)  # noqa: S311 (a port, not a secret)
        if port not in taken and is_free(port):
            return port
    raise Refusal(f"no free port between {CHOICE.start} and {CHOICE.stop} on 127.0.0.1.")


def remembered(path: Path, names: list[str]) -> dict[str, int]:
    """The ports that the file holds for these names; new ones are chosen and written down."""
    ports: dict[str, int] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for name in names:
        if name not in ports:
            ports[name] = choose(taken=set(ports.values()))
    write(path, ports)
    return ports


def write(path: Path, ports: dict[str, int]) -> None:
    """Write the chosen ports down."""
    path.write_text(json.dumps(ports, indent=2) + "\n", encoding="utf-8")


def require_free(port: int, *, purpose: str, variable: str) -> None:
    """Refuse, naming the process and another port, when somebody listens on it already."""
    if is_free(port):
        return
    other = next((p for p in range(port + 1, port + 200) if is_free(p)), port + 1)
    raise Refusal(
        f"port {port}, needed for the {purpose}, is taken by {holder(port)}.",
        mend=f"{variable}={other} script/server",
    )


def holder(port: int) -> str:
    """The process that listens on the port, as far as this user may see it."""
    pid = _linux_listener(port) if Path("/proc/net/tcp").exists() else _lsof_listener(port)
    if pid is None:
        return "a process of another user"
    return f"{system.command_line(pid) or 'a process'} (pid {pid})"


def _linux_listener(port: int) -> int | None:
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not Path(table).exists():
            continue
        for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                sockets.add(f"socket:[{fields[9]}]")
    for process in Path("/proc").glob("[0-9]*"):
        if any(link in sockets for link in _open_files(process)):
            return int(process.name)
    return None


def _open_files(process: Path) -> list[str]:
    links = []
    with suppress(OSError):
        for entry in (process / "fd").iterdir():
            with suppress(OSError):
                links.append(str(entry.readlink()))
    return links


def _lsof_listener(port: int) -> int | None:
    if not shutil.which("lsof"):
        return None
    asked = subprocess.run(
        ["lsof", "-nP", "-t", f"-iTCP:{port}", "-sTCP:LISTEN"], check=False, capture_output=True, text=True
    )
    return int(asked.stdout.split()[0]) if asked.stdout.split() else None
