"""script/server: runs the whole treasury on this machine, from a bare checkout to healthy."""

import argparse
import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from script.devkit import environment, health, kept_schemas, packages, processes, summary, virtualenv
from script.devkit import ports as tcp
from script.devkit.databases import Wanted, check_folders, open_servers, secrets_of
from script.devkit.environment import HTTP_PORT, SIMULATOR_PORT, Ports
from script.devkit.folders import SHARED_VAR, Folders, fingerprint, is_stamped, write_private
from script.devkit.postgres import binaries
from script.devkit.refusals import Refusal
from script.devkit.single import clear_leftovers, only_one
from script.devkit.steps import complain, say, step
from script.devkit.supervisor import Stopped, Supervisor
from script.devkit.throwaway import throw_away_folder

LOCAL_SETTINGS = "treasury.settings.local"
OLD_DATABASE = 3
FIRST = ("web", "worker", "providers")
HEALTHY_SECONDS = 180.0
DATA = ("postgres", "postgres.new", "valkey", "storage", "faults", "run")
DATA_FILES = ("simulator.sqlite3", "demo.json", "local.env", "ports.json", "secrets.env")
EPILOG = """
environment:
  TREASURY_PYTHON        the Python to use, 3.12 or newer
  TREASURY_HTTP_PORT     where the web interface listens (default 4001)
  TREASURY_SIMULATOR_PORT  where the provider simulator listens (default 4010)
  TREASURY_VAR           the folder for data, logs and passwords (default var/)
  TREASURY_POSTGRES_URL  a server to use in place of the embedded one; its user may create roles and databases
  TREASURY_REDIS_URL     a Valkey or Redis server to use in place of the embedded one
"""


@dataclass(frozen=True)
class Options:
    """What the caller asks for."""

    folders: Folders
    ports: Ports
    is_reset: bool
    is_verbose: bool
    is_ephemeral: bool
    is_durable: bool
    demo_orders: int | None


def main(arguments: list[str]) -> int:
    """Start everything, wait until it is healthy, keep it running; stop all of it on Ctrl-C."""
    asked = _parse(arguments)
    own_folder = (
        throw_away_folder("ephemeral") if asked.ephemeral and not asked.var else nullcontext(asked.var)
    )
    with own_folder as var:
        options = _options(asked, Path(var).resolve())
        options.folders.make()
        with only_one(options.folders, purpose=options.ports.url):
            return _serve(options)


def _serve(options: Options) -> int:
    began = time.monotonic()
    supervisor = Supervisor(options.folders, is_verbose=options.is_verbose)
    ready = options.folders.var / "ready.json"
    ready.unlink(missing_ok=True)
    is_healthy = False
    try:
        with supervisor.signals():
            try:
                variables = boot(options, supervisor)
                is_healthy = True
                pid = {
                    "pid": os.getpid(),
                    "url": options.ports.url,
                    "simulator_url": options.ports.simulator_url,
                }
                write_private(ready, json.dumps(pid) + "\n")  # in one step: a test waits for it
                summary.show(options.folders, options.ports, seconds=time.monotonic() - began)
                if options.demo_orders != 0:
                    show_books(options.folders, supervisor, variables=variables)
                supervisor.run_forever()
            finally:
                ready.unlink(missing_ok=True)
                if is_healthy:
                    say("\n  Stopping ...")
    except Stopped:
        if not is_healthy:
            raise
    say(
        "  Everything has stopped; the data stays."
        if not options.is_ephemeral
        else "  Everything has stopped."
    )
    return 0


def boot(options: Options, supervisor: Supervisor) -> dict[str, str]:
    """Every step from nothing to healthy; return the processes' variables. A refusal anywhere leaves nothing running."""
    folders, ports = options.folders, options.ports
    wanted = Wanted.from_environment(is_durable=options.is_durable, is_embedded=options.is_ephemeral)
    check_folders(folders, wanted=wanted)
    with step("python packages") as running:
        running.note = virtualenv.ensure()
    clear_leftovers(folders, supervisor)
    if options.is_reset:
        _reset(folders)
    tcp.require_free(ports.http, purpose="web interface", variable="TREASURY_HTTP_PORT")
    tcp.require_free(ports.simulator, purpose="simulator", variable="TREASURY_SIMULATOR_PORT")
    secrets = secrets_of(folders, is_embedded=options.is_ephemeral)
    servers = open_servers(folders, supervisor, wanted=wanted, secrets=secrets)

    own = environment.own(folders, ports=ports, servers=servers, secrets=secrets, settings=LOCAL_SETTINGS)
    environment.write(folders.var / "local.env", own)
    variables = {**environment.base(programs=binaries()), **own}
    code = _code_stamp(folders, wanted)
    shown_at = f"{code} {ports.url} {ports.simulator_url}" if code else ""
    migrate(folders, supervisor, variables=variables, code=code)
    is_simulator_up = _start_simulator(folders, ports, supervisor, variables=variables)
    if not is_seeded(folders, shown_at):
        with step("simulator") as running:
            supervisor.wait_for("the simulator", is_simulator_up, seconds=HEALTHY_SECONDS)
            running.note = ports.simulator_url
        title = "demo organisation" if options.demo_orders == 0 else "demo organisation and its month"
        with step(title) as running:
            running.note = seed(
                folders, supervisor, variables=variables, stamp=shown_at, orders=options.demo_orders
            )
    with step("simulator, web, worker, documents, beat") as running:
        _start_interfaces(ports, supervisor, variables=variables)
        supervisor.wait_for("the simulator", is_simulator_up, seconds=HEALTHY_SECONDS)
        running.note = "healthy"
    with step("pdf rendering (pango)") as running:
        running.note = packages.pango_state()
    return variables


def migrate(folders: Folders, supervisor: Supervisor, *, variables: dict[str, str], code: str) -> None:
    """Bring the database to this code; an older one that cannot be brought there is refused."""
    stamp = folders.run / "migrated"
    with step("database schemas") as running:
        if code and is_stamped(stamp, code):
            running.note = "up to date"
            return
        stamp.unlink(missing_ok=True)
        command = processes.manage("migrate_all")
        with kept_schemas.begun_with(variables):
            exit_code = supervisor.run(
                "migrate_all", command, environment=processes.as_owner(variables), name="migrate"
            )
            _require_success(exit_code, "migrate_all", folders.log / "migrate.log")
        stamp.write_text(code, encoding="utf-8")


def is_seeded(folders: Folders, stamp: str) -> bool:
    """Whether this code has made the demo organisation in this database, reachable at these addresses."""
    return bool(stamp) and is_stamped(folders.run / "seeded", stamp) and (folders.var / "demo.json").is_file()


def seed(
    folders: Folders, supervisor: Supervisor, *, variables: dict[str, str], stamp: str, orders: int | None
) -> str:
    """Make the demo organisation, with a month of its life or without; safe to repeat. Return what it says of itself."""
    done = folders.run / "seeded"
    done.unlink(missing_ok=True)
    demo = str(folders.var / "demo.json")
    command = processes.manage("seed_demo", "--credentials", demo)
    command += [] if orders is None else ["--orders", str(orders)]
    exit_code = supervisor.run("seed_demo", command, environment=processes.as_seeder(variables), name="seed")
    _require_success(exit_code, "seed_demo", folders.log / "seed.log")
    done.write_text(stamp, encoding="utf-8")
    return _verdict(folders.log / "seed.log").partition(";")[0]


def show_books(folders: Folders, supervisor: Supervisor, *, variables: dict[str, str]) -> None:
    """Say whether the ledger and the simulator's statements agree, loudly when they do not."""
    command = processes.manage("check_demo")
    application = processes.as_application(variables)
    code = supervisor.run("check_demo", command, environment=application, name="books", is_serving=True)
    verdict = _verdict(folders.log / "books.log")
    if code:
        complain(f"\n  THE BOOKS DO NOT FOOT: see {folders.log / 'books.log'}\n    {verdict}")
        complain("  Make the demo anew:\n    script/server --reset")
    else:
        say(f"\n  {verdict[:1].upper()}{verdict[1:]}.")


def _verdict(log: Path) -> str:
    """Return the line of a log in which the demo speaks of its books."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line for line in lines if "the books" in line), "")


def _start_simulator(
    folders: Folders, ports: Ports, supervisor: Supervisor, *, variables: dict[str, str]
) -> Callable[[], bool]:
    """Start the simulator, which seeding needs; return the question whether it is up."""
    supervisor.start(processes.simulator(folders, ports=ports, variables=processes.as_application(variables)))
    return partial(health.answers, f"{ports.simulator_url}/__control/health")


def _start_interfaces(ports: Ports, supervisor: Supervisor, *, variables: dict[str, str]) -> None:
    """
    Start web, worker and what calls providers, wait until they serve, then start the workers of documents and jobs, and beat.

    These are watched like the others, but nobody waits for them: PDFs and sweeps have seconds to spare.
    """
    found = processes.interfaces(variables=processes.as_application(variables))
    first = [program for program in found if program.name in FIRST]
    for program in first:
        supervisor.start(program)
    for name in FIRST[1:]:
        listening = partial(processes.is_listening, supervisor.children[name].log)
        supervisor.wait_for(f"the process {name}", listening, seconds=HEALTHY_SECONDS)
    ready = partial(health.answers, f"{ports.url}/readyz")
    supervisor.wait_for("the web interface", ready, seconds=HEALTHY_SECONDS)
    for program in found:
        if program not in first:
            supervisor.start(program)


def _require_success(code: int, command: str, log: Path) -> None:
    if code == 0:
        return
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    if code == OLD_DATABASE:
        reason = lines[-1] if lines else "the database was made by an older version."
        raise Refusal(
            f"this database cannot be brought to this version. {reason}", mend="script/server --reset"
        )
    text = "\n".join(f"    {line}" for line in lines[-25:])
    raise Refusal(f"`manage.py {command}` ended with code {code}. The end of {log}:\n{text}")


def _code_stamp(folders: Folders, wanted: Wanted) -> str:
    """What migrations and demo data depend on; empty, so never up to date, on a server that is not ours."""
    if wanted.postgres_url:
        return ""
    made = (folders.postgres / "PG_VERSION").stat()
    return fingerprint(processes.code_files(), str(made.st_ino), str(made.st_mtime_ns))


def _reset(folders: Folders) -> None:
    if os.environ.get("TREASURY_POSTGRES_URL"):
        raise Refusal(
            "--reset does not drop the database on a server that script/server did not make.",
            mend="drop that database yourself, or: unset TREASURY_POSTGRES_URL",
        )
    with step("reset"):
        for name in DATA:
            shutil.rmtree(folders.var / name, ignore_errors=True)
            if (folders.var / name).exists() and name != "run":
                raise Refusal(
                    f"{folders.var / name} cannot be removed.", mend=f"sudo rm -rf {folders.var / name}"
                )
        for name in DATA_FILES:
            (folders.var / name).unlink(missing_ok=True)
        for left in folders.var.glob("simulator.sqlite3-*"):
            left.unlink()
        folders.make()


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/server",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--reset", action="store_true", help="start afresh: drops the data of this checkout")
    parser.add_argument(
        "--demo-orders",
        type=int,
        help="how many orders the month of a new demo has (default: some hundreds); 0 makes the organisation only",
    )
    parser.add_argument("--verbose", action="store_true", help="show what every process writes")
    parser.add_argument("--port", type=int, help="as TREASURY_HTTP_PORT; 0 chooses a free one")
    parser.add_argument("--simulator-port", type=int, help="as TREASURY_SIMULATOR_PORT; 0 chooses a free one")
    parser.add_argument("--var", help="as TREASURY_VAR")
    parser.add_argument(
        "--ephemeral",
        action="store_true",
        help="for tests: embedded servers, not durable, free ports, data removed",
    )
    parser.add_argument(
        "--durable", action="store_true", help="for benches: write as in production, with --ephemeral too"
    )
    asked = parser.parse_args(arguments)
    if not asked.ephemeral:
        asked.var = asked.var or os.environ.get("TREASURY_VAR") or str(SHARED_VAR)
    return asked


def _options(asked: argparse.Namespace, var: Path) -> Options:
    defaults = (0, 0) if asked.ephemeral else (HTTP_PORT, SIMULATOR_PORT)
    http = _port(asked.port, "TREASURY_HTTP_PORT", defaults[0], is_ephemeral=asked.ephemeral)
    simulator = _port(
        asked.simulator_port, "TREASURY_SIMULATOR_PORT", defaults[1], is_ephemeral=asked.ephemeral
    )
    http = http or tcp.choose(taken={simulator})
    return Options(
        folders=Folders(var),
        ports=Ports(http=http, simulator=simulator or tcp.choose(taken={http})),
        is_reset=asked.reset,
        is_verbose=asked.verbose,
        is_ephemeral=asked.ephemeral,
        is_durable=asked.durable or not asked.ephemeral,
        demo_orders=asked.demo_orders,
    )


def _port(given: int | None, variable: str, default: int, *, is_ephemeral: bool) -> int:
    if given is not None:
        return given
    text = "" if is_ephemeral else os.environ.get(variable, "")
    if text and not text.isdecimal():
        raise Refusal(
            f"{variable} is {text!r}, which is no port.", mend=f"{variable}={default} script/server"
        )
    return int(text or default)
