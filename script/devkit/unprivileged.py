"""The user that database servers run as when a command is started by root."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from script.devkit.refusals import Refusal


@dataclass(frozen=True)
class Identity:
    """A user without privileges: PostgreSQL refuses to run as root, and Valkey should not."""

    uid: int
    gid: int

    def popen_arguments(self) -> dict[str, Any]:
        """What subprocess needs to start a program as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def take(self, path: Path) -> None:
        """Give one file or folder to this user."""
        os.chown(path, self.uid, self.gid)


def identity_for(data: Path) -> Identity | None:
    """
    Who runs a server over this data folder; None means the user who calls.

    As root: the owner of data that exists, else the user who called sudo, else `nobody`.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid != 0:
        return Identity(data.stat().st_uid, data.stat().st_gid)
    if int(os.environ.get("SUDO_UID", "0")):
        return Identity(int(os.environ["SUDO_UID"]), int(os.environ.get("SUDO_GID", "0")))
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise Refusal(
            "PostgreSQL cannot run as root and there is no user `nobody`.", mend="useradd nobody"
        ) from None
    return Identity(nobody.pw_uid, nobody.pw_gid)


def check_reach(identity: Identity | None, *, folder: Path, programs: list[Path]) -> None:
    """Refuse when the user cannot pass through to the folder, or cannot run the programs."""
    if identity is None:
        return
    for path in [folder, *programs]:
        for parent in reversed(path.parents):
            if parent.exists() and not _may(identity, "-x", parent):
                raise Refusal(
                    f"started as root, the databases run as user id {identity.uid}, who may not pass through {parent}.",
                    mend=f"chmod o+x {parent}",
                )
    for program in programs:
        if not (_may(identity, "-x", program) and _may(identity, "-r", program)):
            raise Refusal(
                f"started as root, the databases run as user id {identity.uid}, who may not run {program}.",
                mend=f"chmod -R o+rX {program.parent}",
            )


def _may(identity: Identity, test: str, path: Path) -> bool:
    asked = subprocess.run(
        ["/bin/sh", "-c", f'test {test} "$1"', "sh", str(path)],
        check=False,
        cwd="/",
        **identity.popen_arguments(),
    )
    return asked.returncode == 0
