"""
script/bench: measures one part of the treasury on servers of its own, and checks that nothing was lost meanwhile.

The servers are made new and write as in production: fsync, synchronous_commit and full_page_writes are on. The last line
is one JSON object. The code is 1 when anything was lost, doubled or out of balance, or slower than its bar.
"""

import argparse
import importlib

from script.devkit.benches.report import Report, Wish
from script.devkit.steps import say
from script.devkit.throwaway import prepare

BENCHES = ("ledger", "payments", "tenancy")
PLANTS = ("delay", "lost-row")


def main(arguments: list[str]) -> int:
    """Run one bench, print its table and its JSON line; 1 when it is red."""
    parser = argparse.ArgumentParser(
        prog="script/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=BENCHES)
    parser.add_argument("--quick", action="store_true", help="shorter: done within 50 seconds")
    parser.add_argument(
        "--seconds", type=float, help="how long each measurement lasts, in place of its default"
    )
    parser.add_argument(
        "--plant",
        choices=PLANTS,
        action="append",
        default=[],
        help="for the tests of the benches: spoil this run, which must turn red",
    )
    asked = parser.parse_args(arguments)
    prepare()
    bench = importlib.import_module(f"script.devkit.benches.{asked.name}")
    wish = Wish(is_quick=asked.quick, seconds=asked.seconds, plants=tuple(asked.plant))
    report: Report = bench.run(wish)
    for line in report.lines():
        say(line)
    return 1 if report.red else 0
