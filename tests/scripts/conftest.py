"""Folders and servers that the tests of the development commands run for real."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from script.devkit.folders import Folders
from script.devkit.supervisor import Supervisor
from script.devkit.throwaway import throw_away_folder


@pytest.fixture
def folders() -> Iterator[Folders]:
    """The folders of one treasury, where an unprivileged user can reach them too."""
    with throw_away_folder("scripts") as var:
        made = Folders(var)
        made.make()
        yield made


@pytest.fixture
def supervisor(folders: Folders) -> Iterator[Supervisor]:
    keeper = Supervisor(folders)
    yield keeper
    keeper.stop_all()


@pytest.fixture
def launcher(tmp_path: Path) -> Path:
    """A checkout that holds only the launcher, with a package that tells which Python runs it."""
    devkit = tmp_path / "checkout" / "script" / "devkit"
    devkit.mkdir(parents=True)
    source = Path(__file__).resolve().parents[2] / "script" / "devkit" / "launch"
    copy = devkit / "launch"
    copy.write_bytes(source.read_bytes())
    copy.chmod(0o755)
    (devkit / "__main__.py").write_text("import sys; print(sys.executable, *sys.argv[1:])\n")
    return copy
