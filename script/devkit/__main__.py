"""The entrance of script/server and its like: `python -m script.devkit COMMAND ARGUMENT...`."""

import importlib
import os
import sys

from script.devkit.folders import ROOT
from script.devkit.refusals import Refusal
from script.devkit.steps import complain
from script.devkit.supervisor import Stopped

COMMANDS = {
    "server": "server",
    "test": "testing",
    "simulate": "simulating",
    "lint": "linting",
    "certify": "certifying",
    "bench": "bench",
    "samples": "sampling",
    "console": "console",
    "databases": "databases_command",
    "messages": "messages",
}
INTERRUPTED = 130


def main() -> int:
    """Run one command; its refusal becomes a message and a code that is not zero."""
    os.chdir(ROOT)
    command, arguments = sys.argv[1], sys.argv[2:]
    module = importlib.import_module(f"script.devkit.{COMMANDS[command]}")
    try:
        code: int = module.main(arguments)
    except Refusal as refusal:
        complain(refusal.text(command))
        return refusal.code
    except (Stopped, KeyboardInterrupt):
        complain(f"\nscript/{command}: stopped before it was done.")
        return INTERRUPTED
    return code


if __name__ == "__main__":
    sys.exit(main())
