"""The virtual environment: made by uv from the hash-locked requirements, and left alone while they stay."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from script.devkit.folders import (
    DJANGO,
    PYTHON,
    ROOT,
    SHARED_VAR,
    VENV,
    fingerprint,
    is_stamped,
    make_folder,
    not_writable,
    usable_home,
)
from script.devkit.refusals import Refusal
from script.devkit.steps import say

SETS = {"5.2": ROOT / "requirements" / "dev.txt", "6.0": ROOT / "requirements" / "django60.txt"}
"""What is locked for each Django that the product runs on; the first is the one that it ships with."""

REQUIREMENTS = SETS.get(DJANGO, SETS["5.2"])
UV_REQUIREMENTS = ROOT / "requirements" / "uv.txt"
IMAGE_REQUIREMENTS = ROOT / "requirements" / "production.txt"
STAMP = VENV / ".requirements"


def ensure() -> str:
    """Make the environment hold exactly what its requirements lock; return what was done."""
    if DJANGO and DJANGO not in SETS:
        raise Refusal(f"TREASURY_DJANGO is {DJANGO}. There are locked packages for {', '.join(SETS)}.")
    version = _kept_version()
    if version is not None and is_stamped(STAMP, _stamp(version)):
        return f"up to date, Python {version}"
    if VENV.exists() and not os.access(VENV, os.W_OK):
        raise not_writable(VENV)
    make_folder(SHARED_VAR)
    uv, environment = find_uv(), installer_environment()
    if version is None:
        _run([uv, "venv", "--quiet", "--clear", "--python", _base_interpreter(), str(VENV)], environment)
        version = _version(PYTHON)
    if version is None:
        raise Refusal(f"{PYTHON} does not run.", mend=f"rm -rf {VENV} && script/server")
    STAMP.unlink(missing_ok=True)
    sync = ["pip", "sync", "--quiet", "--require-hashes", "--python", str(PYTHON), str(REQUIREMENTS)]
    _run([uv, *sync], environment)
    STAMP.write_text(_stamp(version), encoding="utf-8")
    return f"installed, Python {version}"


def keep_wheels_of_image() -> str:
    """Let uv's cache hold what the image installs, for tests that install it without the network; return what was done."""
    uv, environment = find_uv(), installer_environment()
    with tempfile.TemporaryDirectory() as folder:
        sync = ["pip", "sync", "--require-hashes", "--python", str(PYTHON), "--target", folder]
        asked = subprocess.run(
            [uv, *sync, "--offline", "--dry-run", str(IMAGE_REQUIREMENTS)],
            check=False,
            env=environment,
            capture_output=True,
            text=True,
        )
        if asked.returncode == 0 and "Would download" not in asked.stderr:
            return "in uv's cache"
        _run([uv, *sync, "--quiet", str(IMAGE_REQUIREMENTS)], environment)
    return "fetched"


def is_ready() -> bool:
    """Whether `ensure` would find nothing to do."""
    version = _kept_version()
    return version is not None and is_stamped(STAMP, _stamp(version))


def site_packages() -> Path:
    """Where the packages of the environment lie."""
    found = next((VENV / "lib").glob("python3.*/site-packages"), None)
    if found is None:
        raise Refusal(f"{VENV} holds no packages.", mend=f"rm -rf {VENV} && script/server")
    return found


def find_uv() -> str:
    """The full path of uv: the one on PATH, else a private one, installed with its hash checked."""
    if found := shutil.which("uv"):
        return found
    private = SHARED_VAR / "uv" / "bin" / "uv"
    if private.is_file() and os.access(private, os.X_OK):
        return str(private)
    environment, interpreter = installer_environment(), _base_interpreter()
    _run(
        [interpreter, "-m", "venv", "--clear", str(SHARED_VAR / "uv")],
        environment,
        mend=f"apt-get install -y python3-venv python{sys.version_info.major}.{sys.version_info.minor}-venv",
    )
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    _run([str(private.with_name("python")), *install, "-r", str(UV_REQUIREMENTS)], environment)
    return str(private)


def installer_environment() -> dict[str, str]:
    """The environment for uv and pip: a home that can be written, and the certificates that the user named."""
    environment = {
        name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}
    }
    environment["HOME"] = usable_home()
    if environment.get("SSL_CERT_FILE") or environment.get("SSL_CERT_DIR"):
        environment.setdefault("UV_SYSTEM_CERTS", "true")
    if environment.get("SSL_CERT_FILE"):
        environment.setdefault("PIP_CERT", environment["SSL_CERT_FILE"])
    if environment.get("PIP_INDEX_URL"):
        environment.setdefault("UV_DEFAULT_INDEX", environment["PIP_INDEX_URL"])
    return environment


def _kept_version() -> str | None:
    """The version of the environment's Python when it may stay: it runs, and TREASURY_PYTHON names no other."""
    version = _version(PYTHON)
    if os.environ.get("TREASURY_PYTHON") and version != _version(Path(sys.executable)):
        return None
    return version


def _stamp(version: str) -> str:
    return fingerprint([REQUIREMENTS], version, str(VENV))


def _version(python: Path) -> str | None:
    """The version of an interpreter that runs and is new enough, else None."""
    if not python.exists() or not os.access(python, os.X_OK):
        return None
    question = "import platform, sys; print(platform.python_version()); sys.exit(sys.version_info < (3, 12))"
    asked = subprocess.run([python, "-c", question], check=False, capture_output=True, text=True)
    return asked.stdout.strip() if asked.returncode == 0 else None


def _base_interpreter() -> str:
    """The full path of an interpreter outside the environment, so that remaking it cannot pull it away."""
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    return str(base if base.exists() else Path(sys.executable).resolve())


def _run(command: list[str], environment: dict[str, str], *, mend: str = "") -> None:
    done = subprocess.run(
        command, check=False, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode == 0:
        return
    say()
    raise Refusal(
        f"`{' '.join(command)}` failed:\n{done.stdout.strip()}",
        mend=mend
        or "look above; behind a proxy with its own certificate: SSL_CERT_FILE=/path/to/ca.pem script/server",
    )
