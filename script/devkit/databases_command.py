"""script/databases: throw-away PostgreSQL and Valkey servers for tests, up until Ctrl-C."""

import argparse

from script.devkit import environment
from script.devkit.steps import say
from script.devkit.supervisor import Stopped
from script.devkit.throwaway import prepare, throw_away_servers


def main(arguments: list[str]) -> int:
    """Start the servers, print what to paste into another terminal, wait."""
    argparse.ArgumentParser(prog="script/databases", description=__doc__).parse_args(arguments)
    prepare()
    try:
        with throw_away_servers() as (supervisor, variables):
            path = supervisor.folders.var / "test.env"
            environment.write(path, variables)
            say(
                f"\n  In another terminal:  set -a; . {path}; set +a\n  Ctrl-C stops both and removes their data."
            )
            supervisor.run_forever()
    except Stopped:
        say("\n  Stopped.")
    return 0
