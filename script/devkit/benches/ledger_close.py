"""
How long the close of a month takes in books with a long history, and how long postings wait meanwhile.

Runs on servers of its own, which write as in production:

    .venv/bin/python -m script.devkit.benches.ledger_close [accounts transactions hot]

The last line is one JSON object. The history is the one of the ledger bench.
"""

import json
import sys

from script.devkit import environment, kept_schemas, processes
from script.devkit.benches.ledger import HISTORY, SETTINGS
from script.devkit.folders import PYTHON
from script.devkit.postgres import binaries
from script.devkit.refusals import Refusal
from script.devkit.steps import say, step
from script.devkit.supervisor import Supervisor
from script.devkit.throwaway import prepare, throw_away_servers


def main(size: list[str]) -> int:
    """Fill, close and say what was measured."""
    prepare()
    with throw_away_servers(is_durable=True, settings=SETTINGS) as (supervisor, own):
        variables = {**environment.base(programs=binaries()), **own}
        owner, app = processes.as_owner(variables), {**variables, "DB_ROLE": "app"}
        found = supervisor.folders.var / "close.json"
        with kept_schemas.begun_with(variables):
            _run(supervisor, "database schemas", processes.manage("migrate_all"), owner)
        _run(supervisor, "a ledger with a history", _module("ledger_history", str(found), *size), owner)
        _run(supervisor, "close of its last month", _module("ledger_close_load", str(found)), app)
        say(json.dumps({**json.loads(found.read_text(encoding="utf-8")), "bench": "ledger_close"}))
    return 0


def _module(name: str, *arguments: str) -> list[str]:
    return [str(PYTHON), "-m", f"script.devkit.benches.{name}", *arguments]


def _run(supervisor: Supervisor, title: str, command: list[str], variables: dict[str, str]) -> None:
    with step(title):
        if supervisor.run(title, command, environment=variables, name="close"):
            logs = sorted(supervisor.folders.log.glob("*.log"), key=lambda path: path.stat().st_mtime)
            raise Refusal(logs[-1].read_text(encoding="utf-8", errors="replace")[-2000:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or [str(number) for number in HISTORY]))
