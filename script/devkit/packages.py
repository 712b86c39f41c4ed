"""What comes from the operating system: pango for PDFs, a Chromium for the browser tests, hledger for a second opinion on the books."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from script.devkit import environment, virtualenv
from script.devkit.folders import PYTHON, ROOT, SHARED_VAR, fingerprint, is_stamped
from script.devkit.refusals import Refusal
from script.devkit.steps import step

PRESENT, MISSING = "present", "missing, see below"
PANGO_DEBIAN = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-dejavu-core")
HLEDGER = "hledger"
"""Tests let it read our books where root may install it; it is not asked of anybody else."""
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def pango_state() -> str:
    """Whether WeasyPrint finds its libraries; asked once for each set of packages, for it takes a second."""
    stamp = SHARED_VAR / "pango.stamp"
    value = fingerprint([virtualenv.REQUIREMENTS], str(PYTHON))
    if is_stamped(stamp, value):
        return PRESENT
    asked = subprocess.run(
        [PYTHON, "-c", "import weasyprint"],
        check=False,
        capture_output=True,
        cwd=ROOT,
        env=environment.base(),
    )
    if asked.returncode:
        return MISSING
    stamp.write_text(value, encoding="utf-8")
    return PRESENT


def pango_command() -> str:
    """The command that installs pango on this system."""
    if sys.platform == "darwin":
        return "brew install pango"
    if shutil.which("dnf"):
        return "sudo dnf install -y pango harfbuzz dejavu-sans-fonts"
    if shutil.which("pacman"):
        return "sudo pacman -S --needed pango ttf-dejavu"
    return apt_command(list(PANGO_DEBIAN))


def chromium() -> str:
    """The full path of a Chromium: TREASURY_CHROMIUM, else one on PATH; empty when there is none."""
    named = os.environ.get("TREASURY_CHROMIUM", "")
    if named:
        return named if os.access(named, os.X_OK) else ""
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), "")
    return found or (str(CHROMIUM_MAC) if CHROMIUM_MAC.exists() else "")


def apt_command(names: list[str]) -> str:
    """The command that installs Debian packages; started with sudo unless root calls."""
    sudo = "" if os.geteuid() == 0 else "sudo "
    return f"{sudo}apt-get update && {sudo}apt-get install -y --no-install-recommends {' '.join(names)}"


def ensure_for_tests(*, is_browser_needed: bool) -> None:
    """Install what the tests need when root runs on Debian; elsewhere refuse with the exact command."""
    with step("system packages") as running:
        missing = _missing(is_browser_needed=is_browser_needed)
        wanted = missing if shutil.which(HLEDGER) else [*missing, HLEDGER]
        if wanted and os.geteuid() == 0 and shutil.which("apt-get"):
            _apt_install(wanted)
            running.note = f"installed {', '.join(wanted)}"
            missing = _missing(is_browser_needed=is_browser_needed)
        if not missing:
            return
    mend = apt_command(missing)
    if sys.platform == "darwin":
        mend = "brew install pango && brew install --cask google-chrome"
    raise Refusal(f"the tests need what this system lacks: {', '.join(missing)}.", mend=mend)


def _missing(*, is_browser_needed: bool) -> list[str]:
    missing = [] if pango_state() == PRESENT else list(PANGO_DEBIAN)
    if is_browser_needed and not chromium():
        missing.append("chromium")
    return missing


def _apt_install(names: list[str]) -> None:
    commands = [["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", *names]]
    for command in commands:
        done = subprocess.run(
            command,
            check=False,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            tail = "\n".join(done.stdout.strip().splitlines()[-10:])
            raise Refusal(f"`{' '.join(command)}` failed:\n{tail}", mend=apt_command(names))
