"""
Replays the Dockerfile in an empty folder, without an engine and without the network.

The folder stands for the image's root: each absolute path of an instruction is taken to lie in it. Two stages share it,
because the second takes from the first only what lies at the same path.
"""

import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from script.devkit import system, virtualenv
from script.devkit.postgres import binaries
from tests.deploy.dockerfile import ROOT, Instruction, context, of_stage

LEFT_OUT = {
    "apt-get update": "Debian's packages need root and the network; pango is this machine's, pg_dump that of a wheel",
    "groupadd": "a user of its own needs root; the processes run without the right to write past permissions",
    "python -m pip install": "the installer is script/devkit's uv, of the same lock",
}
CLIENT = "/usr/lib/postgresql/18/bin"
"""Where Debian's package puts pg_dump; the programs of the server's wheel stand in."""
OFFLINE = {"UV_OFFLINE": "1", "UV_NO_CACHE": "0"}
"""In place of what the image says: the packages come out of uv's cache."""
INSIDE = re.compile(r"(?<![\w./])/(?=(?:opt|srv|data|tmp)\b)")
NAME = re.compile(r"\$\{?(\w+)\}?")
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2
INSTALLERS = ("UV_", "XDG_CACHE_HOME", "PIP_")
"""What tells the installer where its packages are kept: the replay finds those that the tests' own environment has."""

UMASK = 0o077


@dataclass
class Replay:
    """The folder that stands for the image, and what its instructions have set so far."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    folder: Path = Path("/")
    replayed: list[Instruction] = field(default_factory=list)

    def build(self) -> None:
        for name in ("tmp", "data", "usr/bin"):
            (self.root / name).mkdir(parents=True)
        for name in ("python", "python3"):
            (self.root / "usr" / "bin" / name).symlink_to(Path(sys.base_prefix) / "bin" / "python3")
        library = Path(os.__file__).parent  # beside it, so that an interpreter that was moved finds it here
        (self.root / "usr" / "lib").mkdir()
        (self.root / "usr" / "lib" / library.name).symlink_to(library)
        for stage in ("builder", "runtime"):
            path = [self.root / "usr" / "bin", Path(virtualenv.find_uv()).parent, "/usr/bin", "/bin"]
            self.environment = {"PATH": os.pathsep.join(map(str, path)), "HOME": virtualenv.usable_home()}
            given = virtualenv.installer_environment()
            self.environment |= {name: given[name] for name in given if name.startswith(INSTALLERS)}
            for instruction in of_stage(stage):
                self._follow(instruction)

    def process(self, *words: str, variables: Mapping[str, str], output: IO[str]) -> "subprocess.Popen[str]":
        """Start what the entry point starts with these words, without the right to write where permissions forbid."""
        entry = [self._inside(word) for word in of_stage("runtime", "ENTRYPOINT")[0].words]
        return subprocess.Popen(
            [*entry[entry.index("--") + 1 :], *words],  # past tini, which comes from Debian
            cwd=self.folder,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=_confined(),  # noqa: PLW1509 (a few system calls)
        )

    def _follow(self, instruction: Instruction) -> None:
        follow: dict[str, Callable[[Instruction], None]] = {
            "ENV": self._env,
            "ARG": self._env,
            "WORKDIR": self._workdir,
            "COPY": self._copy,
            "RUN": self._run,
        }
        if instruction.word in follow:
            follow[instruction.word](instruction)
            self.replayed.append(instruction)

    def _inside(self, text: str) -> str:
        return INSIDE.sub(f"{self.root}/", text).replace(CLIENT, str(binaries()))

    def _env(self, instruction: Instruction) -> None:
        for pair in instruction.words:
            name, _, value = pair.partition("=")
            known = NAME.sub(lambda found: self.environment.get(found[1], ""), self._inside(value))
            self.environment[name] = OFFLINE.get(name, known)

    def _workdir(self, instruction: Instruction) -> None:
        self.folder = Path(self._inside(instruction.text))
        self.folder.mkdir(parents=True, exist_ok=True)

    def _copy(self, instruction: Instruction) -> None:
        *sources, target = instruction.words
        if "from" in instruction.flags:
            assert sources == [target], "what another stage made is taken to the same path"
            assert Path(self._inside(target)).is_dir()
            return
        wanted = context()
        if sources != ["."]:
            assert set(sources) <= set(map(str, wanted)), ".dockerignore lets through what is copied by name"
            wanted = [Path(source) for source in sources]
        for path in wanted:
            made = self.folder / (path if sources == ["."] else Path(target) / path.name)
            made.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, made)

    def _run(self, instruction: Instruction) -> None:
        if instruction.text.startswith(tuple(LEFT_OUT)):
            return
        done = subprocess.run(
            ["/bin/sh", "-c", self._inside(instruction.text)],
            check=False,
            cwd=self.folder,
            env={**self.environment, **OFFLINE},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{instruction.text}\n{done.stdout}{done.stderr}"


def lock(root: Path) -> None:
    """Take away every right to write below the code and the packages; wheels share files with uv's cache."""
    for top in ("srv", "opt"):
        for folder, _, names in os.walk(root / top):
            Path(folder).chmod(0o555)
            if top == "srv":
                for name in names:
                    path = Path(folder) / name
                    path.chmod(path.stat().st_mode & ~0o222)


def unlock(root: Path) -> None:
    """Let the folder be removed again."""
    for folder, _, _ in os.walk(root):
        Path(folder).chmod(0o755)


def _confined() -> Callable[[], None]:
    """A preexec function: a private umask, and for root none of the rights to pass over permissions."""
    tie = system.dies_with_parent(signal.SIGKILL)
    libc = ctypes.CDLL(None) if system.IS_LINUX else None

    def confine() -> None:
        os.umask(UMASK)
        if libc and os.geteuid() == 0:
            for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
                libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
        if tie:
            tie()

    return confine
