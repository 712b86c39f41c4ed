"""script/lint: style, types, import contracts, migrations and the API description, without the tests."""

import argparse

from script.devkit import checks, environment
from script.devkit.postgres import binaries
from script.devkit.steps import say
from script.devkit.throwaway import prepare, throw_away_servers


def main(arguments: list[str]) -> int:
    """Run every check; 1 when one failed."""
    argparse.ArgumentParser(prog="script/lint", description=__doc__).parse_args(arguments)
    prepare()
    with throw_away_servers() as (_, own):
        failures = checks.run_all({**environment.base(programs=binaries()), **own})
    checks.show(failures)
    say(f"\n  {len(failures)} checks failed." if failures else "\n  Every check passed.")
    return 1 if failures else 0
