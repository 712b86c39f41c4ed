"""script/messages: collects every text that people read, and compiles the translations in locale/."""

import argparse
import subprocess

from script.devkit import environment
from script.devkit.folders import PYTHON, ROOT
from script.devkit.throwaway import prepare


def main(arguments: list[str]) -> int:
    """Bring locale/ up to date; with --check only say what is missing. 1 when a text has no translation."""
    parser = argparse.ArgumentParser(prog="script/messages", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    asked = parser.parse_args(arguments)
    prepare()
    command = [PYTHON, "-m", "script.devkit.catalogue", *(["--check"] if asked.check else [])]
    return subprocess.run(command, check=False, cwd=ROOT, env=environment.base()).returncode
