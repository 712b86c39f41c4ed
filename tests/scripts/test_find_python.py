"""find python: the launcher takes the first interpreter that really runs."""

import os
import subprocess
import sys
from pathlib import Path

REAL = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
BROKEN_SHIM = "#!/bin/sh\necho 'the shim knows no such version' >&2\nexit 127\n"
OLD = '#!/bin/sh\ncase "$*" in *platform*) echo 3.9.2; exit 0 ;; esac\nexit 1\n'
GOOD = f'#!/bin/sh\nexec {REAL} "$@"\n'


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def launch(launcher: Path, *, path: list[Path], **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run the launcher with a PATH that holds these folders and the few programs that it calls."""
    tools = launcher.parent / "tools"
    tools.mkdir(exist_ok=True)
    for name in ("dirname", "uname", "sh", "head"):
        link = tools / name
        if not link.exists():
            link.symlink_to(f"/usr/bin/{name}" if Path(f"/usr/bin/{name}").exists() else f"/bin/{name}")
    search = os.pathsep.join(map(str, [*path, tools]))
    return subprocess.run(
        [launcher, "server", "--flag", "two words"],
        env={"PATH": search, **variables},
        check=False,
        capture_output=True,
        text=True,
    )


def test_passes_by_shims_that_fail_and_interpreters_that_are_old(launcher, tmp_path):
    program(tmp_path / "shims" / "python3.12", BROKEN_SHIM)
    program(tmp_path / "old" / "python3.12", OLD)
    program(tmp_path / "good" / "python3.12", GOOD)

    done = launch(launcher, path=[tmp_path / "shims", tmp_path / "old", tmp_path / "good"])

    assert done.stdout == f"{REAL} server --flag two words\n"
    assert done.returncode == 0


def test_takes_a_version_of_pyenv_when_path_has_none(launcher, tmp_path):
    program(tmp_path / "shims" / "python3", BROKEN_SHIM)
    program(tmp_path / "pyenv" / "versions" / "3.12.9" / "bin" / "python3", GOOD)

    done = launch(launcher, path=[tmp_path / "shims"], PYENV_ROOT=str(tmp_path / "pyenv"))

    assert done.stdout.startswith(f"{REAL} server")


def test_takes_the_one_that_the_caller_names_before_any_other(launcher, tmp_path):
    program(tmp_path / "first" / "python3.12", BROKEN_SHIM)
    named = program(tmp_path / "named" / "my-python", GOOD)

    done = launch(launcher, path=[tmp_path / "first"], TREASURY_PYTHON=str(named))

    assert done.stdout.startswith(f"{REAL} server")


def test_refuses_a_named_one_that_fails_and_does_not_look_further(launcher, tmp_path):
    named = program(tmp_path / "named" / "python3.12", BROKEN_SHIM)
    program(tmp_path / "good" / "python3.12", GOOD)

    done = launch(launcher, path=[tmp_path / "good"], TREASURY_PYTHON=str(named))

    assert done.returncode == 1
    assert f"TREASURY_PYTHON names {named}" in done.stderr
    assert done.stdout == ""


def test_says_what_was_tried_and_what_mends_it_when_there_is_none(launcher, tmp_path):
    shim = program(tmp_path / "shims" / "python3.12", BROKEN_SHIM)
    old = program(tmp_path / "old" / "python3.12", OLD)

    done = launch(launcher, path=[tmp_path / "shims", tmp_path / "old"])

    assert done.returncode == 1
    assert f"{shim} (does not run: the shim knows no such version)" in done.stderr
    assert f"{old} (3.9.2)" in done.stderr
    assert "TREASURY_PYTHON=/full/path/to/python3.12 script/server" in done.stderr


def test_asks_uv_for_a_managed_one_as_the_last_resort(launcher, tmp_path):
    managed = program(tmp_path / "managed" / "python3.12", GOOD)
    program(
        tmp_path / "bin" / "uv",
        f'#!/bin/sh\n[ "$1 $2" = "python install" ] && touch {tmp_path}/installed && exit 0\n'
        f"[ -f {tmp_path}/installed ] && echo {managed} && exit 0\nexit 2\n",
    )
    (tmp_path / "bin" / "touch").symlink_to("/usr/bin/touch")

    done = launch(launcher, path=[tmp_path / "bin"], HOME=str(tmp_path))

    assert done.stdout.startswith(f"{REAL} server")
    assert (tmp_path / "installed").exists()
