"""Where things lie: the checkout, its virtual environment and the folder of one running treasury."""

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from script.devkit.refusals import Refusal

ROOT = Path(__file__).resolve().parents[2]
SHARED_VAR = ROOT / "var"
DJANGO = os.environ.get("TREASURY_DJANGO", "")
"""The Django that the caller chose, as 6.0; empty where any will do."""

VENV = (
    SHARED_VAR / "venv" / f"python{sys.version_info.major}.{sys.version_info.minor}-django{DJANGO}"
    if DJANGO
    else ROOT / ".venv"
)
"""The virtual environment. Whoever chooses a Django gets another one for each Python and Django."""

PYTHON = VENV / "bin" / "python"


@dataclass(frozen=True)
class Folders:
    """The folder that one set of servers keeps its data, logs and passwords in."""

    var: Path

    @property
    def log(self) -> Path:
        return self.var / "log"

    @property
    def run(self) -> Path:
        return self.var / "run"

    @property
    def postgres(self) -> Path:
        return self.var / "postgres"

    @property
    def valkey(self) -> Path:
        return self.var / "valkey"

    @property
    def storage(self) -> Path:
        return self.var / "storage"

    @property
    def faults(self) -> Path:
        return self.var / "faults"

    def make(self) -> None:
        """Make the folders, or refuse when they belong to somebody else."""
        for folder in (self.var, self.log, self.run, self.storage, self.faults):
            make_folder(folder)


def make_folder(folder: Path) -> None:
    """Make a folder that this user can write and everybody may pass through."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except PermissionError as denied:
        raise not_writable(Path(denied.filename)) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise not_writable(folder)


def not_writable(folder: Path) -> Refusal:
    """The refusal for a folder that an earlier run, perhaps as root, left to another user."""
    while not folder.exists():
        folder = folder.parent
    return Refusal(
        f"{folder} cannot be written by this user: an earlier run as another user made it.",
        mend=f'sudo chown -R "$(id -un)" {folder}',
    )


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; only this user can read it, from its first byte on."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).replace(path)


def fingerprint(paths: Iterable[Path], *extra: str) -> str:
    """A digest of the files' names and contents and of the extra words."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(f"{path}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    for word in extra:
        digest.update(f"{word}\0".encode())
    return digest.hexdigest()


def is_stamped(stamp: Path, value: str) -> bool:
    """Whether the stamp was written with this very value."""
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == value


def usable_home() -> str:
    """HOME when it is a folder that this user can write, else a folder of this checkout."""
    home = os.environ.get("HOME", "")
    if home and os.access(home, os.W_OK | os.X_OK):
        return home
    substitute = SHARED_VAR / "home"
    make_folder(substitute)
    return str(substitute)
