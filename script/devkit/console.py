"""
script/console: a Django shell in the local environment, or one management command.

  script/console                       a shell in the public schema
  script/console --tenant savanna      a shell inside an organisation
  script/console ledger_verify --json  any management command, with its own options
  script/console treasury tenant list  an operator's command, as bin/treasury would run it

Uses the servers of a running script/server; when none runs, starts PostgreSQL and Valkey for as long
as the command takes. Serves as the application's database role; --owner takes the owner's.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from script.devkit import environment, processes, virtualenv
from script.devkit.databases import Wanted, open_servers, secrets_of
from script.devkit.environment import HTTP_PORT, SIMULATOR_PORT, Ports
from script.devkit.folders import ROOT, SHARED_VAR, Folders
from script.devkit.postgres import binaries
from script.devkit.server import LOCAL_SETTINGS
from script.devkit.single import AlreadyRunning, clear_leftovers, only_one
from script.devkit.steps import step
from script.devkit.supervisor import Supervisor

OPERATIONS = ROOT / "bin" / "treasury"
NEED_OWNER = {
    "migrate_all",
    "migrate",
    "migrate_schemas",
    "makemigrations",
    "seed_demo",
}


def main(arguments: list[str]) -> int:
    """Run the shell or the command on this terminal; its exit code is ours."""
    parser = argparse.ArgumentParser(
        prog="script/console", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tenant", metavar="SLUG", help="open the shell inside this organisation")
    parser.add_argument("--owner", action="store_true", help="take the database role that owns the tables")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="a management command with its arguments")
    asked = parser.parse_args(arguments)
    if not virtualenv.is_ready():
        with redirect_stdout(sys.stderr), step("python packages") as running:
            running.note = virtualenv.ensure()
    command = asked.command or ["shell"]
    is_owner = asked.owner or command[0] in NEED_OWNER
    if asked.tenant:
        schema = f"org_{asked.tenant.replace('-', '_')}"
        command = ["tenant_command", command[0], f"--schema={schema}", *command[1:]]
    folders = Folders(Path(os.environ.get("TREASURY_VAR") or SHARED_VAR).resolve())
    folders.make()
    with _servers(folders) as own:
        variables = {**environment.base(programs=binaries()), **own}
        signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C belongs to the shell, which gets it too
        chosen = processes.as_owner(variables) if is_owner else processes.as_application(variables)
        words = (
            [str(OPERATIONS), *command[1:]] if command[0] == OPERATIONS.name else processes.manage(*command)
        )
        return subprocess.run(words, check=False, cwd=ROOT, env=chosen).returncode


@contextmanager
def _servers(folders: Folders) -> Iterator[Mapping[str, str]]:
    """The variables of the running server, else of servers that live as long as the block."""
    try:
        with only_one(folders, purpose="script/console"):
            supervisor = Supervisor(folders)
            with supervisor.signals():
                with redirect_stdout(sys.stderr):  # what the command itself prints may be read by a program
                    own = _open(folders, supervisor)
                yield own
    except AlreadyRunning:
        kept = folders.var / "local.env"
        if not kept.is_file():
            raise
        yield environment.read(kept)


def _open(folders: Folders, supervisor: Supervisor) -> dict[str, str]:
    clear_leftovers(folders, supervisor)
    secrets, wanted = secrets_of(folders), Wanted.from_environment(is_durable=True)
    servers = open_servers(folders, supervisor, wanted=wanted, secrets=secrets)
    ports = Ports(http=HTTP_PORT, simulator=SIMULATOR_PORT)
    own = environment.own(folders, ports=ports, servers=servers, secrets=secrets, settings=LOCAL_SETTINGS)
    environment.write(folders.var / "local.env", own)
    return own
