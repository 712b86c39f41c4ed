"""choose a Django: each has packages and an environment of its own, and the usual one stays as it is."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ASK = "from script.devkit import folders, virtualenv; print(folders.VENV, virtualenv.REQUIREMENTS.name)"


def asked(**variables: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "TREASURY_DJANGO"}
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        env={**environment, **variables},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def test_gives_each_django_an_environment_of_its_own():
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"

    assert asked() == f"{ROOT}/.venv dev.txt"
    assert asked(TREASURY_DJANGO="5.2") == f"{ROOT}/var/venv/{python}-django5.2 dev.txt"
    assert asked(TREASURY_DJANGO="6.0") == f"{ROOT}/var/venv/{python}-django6.0 django60.txt"


def test_refuses_one_that_nothing_is_locked_for():
    done = subprocess.run(
        [ROOT / "script" / "test", "tests/kit"],
        env={**os.environ, "TREASURY_DJANGO": "4.2"},
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert "TREASURY_DJANGO is 4.2. There are locked packages for 5.2, 6.0." in done.stderr
    assert not (ROOT / "var" / "venv").exists() or not list((ROOT / "var" / "venv").glob("*4.2"))
