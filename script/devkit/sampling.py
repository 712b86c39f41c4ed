"""
script/samples: collects what the product prints as PDF and PNG, and checks each page.

The product's own services issue and draw each sample of made data, against servers of its own. Look at the
pictures before and after you touch a template or a style sheet. The list is tests/samples/catalogue.py.
"""

import argparse
import signal
import subprocess
from pathlib import Path

from script.devkit import environment, packages, system
from script.devkit.folders import PYTHON, ROOT, SHARED_VAR, make_folder
from script.devkit.postgres import binaries
from script.devkit.steps import say
from script.devkit.throwaway import prepare, throw_away_servers

SUITE = "tests/samples"
TARGET = "TREASURY_SAMPLES"
"""Tells the suite where to leave what it makes; without it the suite throws it away."""


def main(arguments: list[str]) -> int:
    """Make every sample; 1 when a page is not as it should be, though it is left to be looked at."""
    parser = argparse.ArgumentParser(
        prog="script/samples", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=SHARED_VAR / "samples",
        help="where to leave them (default var/samples)",
    )
    folder: Path = parser.parse_args(arguments).folder.resolve()
    prepare()
    packages.ensure_for_tests(is_browser_needed=False)
    make_folder(folder)
    with throw_away_servers() as (_, own):
        variables = {**environment.base(programs=binaries()), **own, TARGET: str(folder)}
        code = _collect(variables)
    pictures = sorted(folder.glob("*.png"))
    say(f"\n  {len(pictures)} pages in {folder}")
    for picture in pictures:
        say(f"    {picture.name}")
    return code


def _collect(variables: dict[str, str]) -> int:
    with subprocess.Popen(
        [str(PYTHON), "-m", "pytest", "-q", SUITE],
        cwd=ROOT,
        env=variables,
        preexec_fn=system.dies_with_parent(signal.SIGTERM),  # noqa: PLW1509 (one thread only)
    ) as running:
        try:
            return running.wait()
        finally:
            if running.poll() is None:
                running.terminate()
