"""The environment that every process of the treasury gets, and the file that holds it for people."""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from script.devkit.folders import VENV, Folders, usable_home, write_private

LOOPBACK = "127.0.0.1,localhost,.localhost"
DROPPED = (
    "PYTHONPATH",
    "PYTHONHOME",
    "VIRTUAL_ENV",
    "DB_ROLE",
    "PYTHONDONTWRITEBYTECODE",  # five processes would compile a thousand modules each, at every start
)
HTTP_PORT, SIMULATOR_PORT = 4001, 4010


@dataclass(frozen=True)
class Ports:
    """Where the web interface and the simulator listen."""

    http: int
    simulator: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http}"

    @property
    def simulator_url(self) -> str:
        return f"http://127.0.0.1:{self.simulator}"


@dataclass(frozen=True)
class Servers:
    """How to reach the two servers that hold the data; the PostgreSQL address carries no password."""

    postgres_url: str
    redis_url: str


def base(*, programs: Path | None = None) -> dict[str, str]:
    """What every child starts from: the caller's environment without another Python's settings."""
    environment = {name: value for name, value in os.environ.items() if name not in DROPPED}
    folders = [str(VENV / "bin"), *([str(programs)] if programs else []), environment.get("PATH", os.defpath)]
    environment |= {"PATH": os.pathsep.join(folders), "HOME": usable_home(), "PYTHONUNBUFFERED": "1"}
    for name in ("NO_PROXY", "no_proxy"):
        environment[name] = ",".join(filter(None, [environment.get(name), LOOPBACK]))
    return environment


def own(
    folders: Folders, *, ports: Ports, servers: Servers, secrets: Mapping[str, str], settings: str
) -> dict[str, str]:
    """The variables that the treasury itself reads. A secret that the caller has set stays the caller's."""
    kept = ("TREASURY_POSTGRES_OWNER_PASSWORD", "TREASURY_POSTGRES_APP_PASSWORD")
    return {
        "DJANGO_SETTINGS_MODULE": settings,
        "TREASURY_POSTGRES_URL": servers.postgres_url,
        **{name: secrets[name] for name in kept},
        "TREASURY_REDIS_URL": servers.redis_url,
        "TREASURY_SECRET_KEY": secrets["TREASURY_SECRET_KEY"],
        "TREASURY_MASTER_KEY": secrets["TREASURY_MASTER_KEY"],
        "TREASURY_HTTP_HOST": "127.0.0.1",
        "TREASURY_HTTP_PORT": str(ports.http),
        "TREASURY_SIMULATOR_PORT": str(ports.simulator),
        "TREASURY_PUBLIC_URL": ports.url,
        "TREASURY_SIMULATOR_URL": ports.simulator_url,
        "TREASURY_VAR": str(folders.var),
        "TREASURY_STORAGE_PATH": str(folders.storage),
        "TREASURY_FAULT_PATH": str(folders.faults),
    }


def write(path: Path, variables: Mapping[str, str]) -> None:
    """Keep the variables for script/console and for people: `set -a; . var/local.env; set +a`."""
    write_private(path, "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items()))


def read(path: Path) -> dict[str, str]:
    """The variables that `write` kept."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {name: shlex.split(value)[0] for name, _, value in (line.partition("=") for line in lines)}
