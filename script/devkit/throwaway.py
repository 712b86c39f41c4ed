"""Servers of their own for one run of tests or of a bench: made new, removed afterwards; not durable for tests."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from script.devkit import environment, ports, virtualenv
from script.devkit.databases import Wanted, check_folders, open_servers, secrets_of
from script.devkit.environment import Ports
from script.devkit.folders import SHARED_VAR, Folders, make_folder
from script.devkit.steps import step
from script.devkit.supervisor import Supervisor

TEST_SETTINGS = "treasury.settings.test"


def prepare() -> None:
    """What comes before throw-away servers: folders that their user can reach, then the packages."""
    check_folders(Folders(SHARED_VAR / "test"), wanted=Wanted.from_environment(is_durable=False))
    with step("python packages") as running:
        running.note = virtualenv.ensure()


@contextmanager
def throw_away_servers(
    *, is_verbose: bool = False, is_durable: bool = False, settings: str = TEST_SETTINGS
) -> Iterator[tuple[Supervisor, dict[str, str]]]:
    """
    Yield the supervisor and the variables of the environment; everything is gone after the block.

    Durable servers write as in production, and are never those that the environment names.
    """
    with throw_away_folder("bench" if is_durable else "test") as var:
        folders = Folders(var)
        folders.make()
        supervisor = Supervisor(folders, is_verbose=is_verbose)
        with supervisor.signals():
            secrets = secrets_of(folders, is_embedded=is_durable)
            wanted = Wanted.from_environment(is_durable=is_durable, is_embedded=is_durable)
            servers = open_servers(folders, supervisor, wanted=wanted, secrets=secrets)
            http = ports.choose(taken=set())
            chosen = Ports(http=http, simulator=ports.choose(taken={http}))
            yield (
                supervisor,
                environment.own(folders, ports=chosen, servers=servers, secrets=secrets, settings=settings),
            )


@contextmanager
def throw_away_folder(kind: str) -> Iterator[Path]:
    """A folder under var/ that is removed after the block; those of runs that were killed go first."""
    parent = SHARED_VAR / kind
    make_folder(parent)
    for left in parent.iterdir():
        _remove_unless_locked(left)
    folder = Path(tempfile.mkdtemp(dir=parent, prefix=""))
    folder.chmod(0o755)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_unless_locked(folder: Path) -> None:
    try:
        with (folder / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except FileNotFoundError:
        return  # another run is making it or removing it at this moment
    except OSError:
        return
