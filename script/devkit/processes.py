"""The treasury's own programs: what each is called and how it is started."""

import os
from collections.abc import Mapping
from pathlib import Path

from script.devkit.environment import Ports
from script.devkit.folders import PYTHON, ROOT, Folders
from script.devkit.programs import SERVICES, Program

SERVE = "bin/serve"
INTERFACES = ("web", "worker", "webhooks", "providers", "documents", "jobs", "owner", "beat")
SIMULATOR_SETTINGS = "treasury.settings.simulator"
DEMO_SETTINGS = "treasury.settings.demo"


def manage(*arguments: str) -> list[str]:
    """A management command."""
    return [str(PYTHON), "manage.py", *arguments]


def simulator(folders: Folders, *, ports: Ports, variables: Mapping[str, str]) -> Program:
    """The stand-in for the payment providers; it has a store and settings of its own and gets no secret."""
    store = str(folders.var / "simulator.sqlite3")
    command = manage("runsimulator", "--host", "127.0.0.1", "--port", str(ports.simulator), "--store", store)
    plain = {name: value for name, value in variables.items() if not name.startswith("TREASURY_")}
    own = {**plain, "DJANGO_SETTINGS_MODULE": SIMULATOR_SETTINGS}
    return Program(name="simulator", command=command, environment=own, tier=SERVICES, folder=ROOT)


def interfaces(*, variables: Mapping[str, str]) -> list[Program]:
    """Web, workers and beat, each as bin/serve starts it: all but the owner's worker use the application's database role."""
    return [
        Program(name=name, command=[str(PYTHON), SERVE, name], environment=variables, folder=ROOT)
        for name in INTERFACES
    ]


def is_listening(log: Path) -> bool:
    """Whether a worker has written that it takes tasks now."""
    return log.exists() and " ready." in log.read_text(encoding="utf-8", errors="replace")


def as_owner(variables: Mapping[str, str]) -> dict[str, str]:
    """For migrations: the role that owns the tables."""
    return {**variables, "DB_ROLE": "owner"}


def as_seeder(variables: Mapping[str, str]) -> dict[str, str]:
    """For seeding: the owner's role, in a process that stays in one organisation."""
    return {**as_owner(variables), "DJANGO_SETTINGS_MODULE": DEMO_SETTINGS}


def as_application(variables: Mapping[str, str]) -> dict[str, str]:
    """For everything that serves: the role without rights over the ledger's tables."""
    return {**variables, "DB_ROLE": "app"}


def code_files() -> list[Path]:
    """Every file that migrations and seeding may depend on."""
    found: list[Path] = []
    for folder in ("apps", "treasury"):
        for parent, folders, names in os.walk(ROOT / folder):
            folders[:] = [name for name in folders if name != "__pycache__"]
            found += [Path(parent) / name for name in names if name.endswith((".py", ".sql"))]
    return [*found, ROOT / "requirements" / "dev.txt"]
