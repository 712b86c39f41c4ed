"""
What the migrations of this code make of an empty database, kept as a dump in var/schemas for the next empty one.

To migrate from nothing takes half a minute of processor time, and one run of all tests starts half a dozen databases. The
migrate job runs in each of them all the same: over a dump it finds nothing to do, or refuses what is not of this build.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from script.devkit.folders import ROOT, SHARED_VAR, VENV, fingerprint, make_folder
from script.devkit.postgres import binaries, login
from script.devkit.refusals import Refusal

FOLDER = SHARED_VAR / "schemas"
SHAPING = (
    "apps/*/migrations/*.py",
    "apps/*/sql/*.sql",
    "apps/*/models/**/*.py",
    "apps/kit/**/*.py",
    "apps/tenancy/**/*.py",
    "treasury/settings/*.py",
    "requirements/*.txt",
    "script/devkit/roles.py",
)
EMPTY = "SELECT to_regclass('public.django_migrations') IS NULL"


@contextmanager
def begun_with(variables: Mapping[str, str]) -> Iterator[None]:
    """
    Run the migrate job inside: an empty database of an embedded server has the dump by then, or is dumped afterwards.

    ``variables`` are those of the treasury that the database belongs to. Nothing is done for a server that the environment
    names, nor for a database that has been migrated before: that one may hold somebody's data.
    """
    is_ours = (Path(variables["TREASURY_VAR"]) / "postgres" / "PG_VERSION").is_file()
    if not is_ours or _run("psql", "-qXAtc", EMPTY, variables=variables).strip() != "t":
        yield
        return
    dump = FOLDER / f"{_shape()}.sql"
    if dump.is_file():
        _run("psql", "-qX1", "-v", "ON_ERROR_STOP=1", "-o", os.devnull, "-f", str(dump), variables=variables)
        yield
    else:
        yield
        _keep(dump, variables)


def _shape() -> str:
    """Return a digest of all that has a say in the schemas, and of the environment that migrates."""
    return fingerprint((path for name in SHAPING for path in ROOT.glob(name)), str(VENV))[:16]


def _keep(dump: Path, variables: Mapping[str, str]) -> None:
    """Write the dump in one step: two may do so at once. Those of other code are taken away."""
    make_folder(FOLDER)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        new = Path(folder) / dump.name
        _run("pg_dump", "--no-tablespaces", "--file", str(new), variables=variables)
        for left in FOLDER.glob("*.sql"):
            left.unlink(missing_ok=True)
        new.rename(dump)


def _run(program: str, *arguments: str, variables: Mapping[str, str]) -> str:
    there, database = login(variables, "owner")
    command = [str(binaries() / program), *arguments, "--dbname", database]
    done = subprocess.run(command, check=False, env=there, capture_output=True, text=True)
    if done.returncode:
        raise Refusal(f"`{' '.join(command)}` ended with code {done.returncode}:\n{done.stderr}")
    return done.stdout
