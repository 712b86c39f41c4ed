"""Write the reference of the operator's commands, docs/operations.md, from the list of nouns and verbs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from treasury.operations.registry import NOUNS
from treasury.operations.verbs import Noun, Reach, Verb

HEAD = """# The operator's commands

`bin/treasury NOUN VERB [ARGUMENTS]`, on a machine or in a pod of the platform: who may start a process there may use them all.
How to, by example: [howto/operate.md](howto/operate.md). Made from `treasury/operations/registry` by
`script/console list_operations --output docs/operations.md`; a test compares the two.

| option | where | meaning |
|---|---|---|
| `--tenant SLUG` | inside an organisation | which one |
| `--all` | where the table says *each* | every organisation, suspended ones included |
| `--json` | everywhere | one JSON object on stdout, nothing else |
| `--dry-run` | what writes | say exactly what would change, and change nothing |
| `--as NAME` | what writes | who you are, for the audit trail; `TREASURY_OPERATOR` by default |
| `--reason TEXT` | what writes; required where the table says so | why, for the audit trail |

Exit codes: **0** done; **1** something wrong was found (`ledger verify`, `system check`, `tenant status`); **2** refused: nothing was
changed, and one sentence says why, naming the argument (only what `tenant migrate` did before a schema stopped it stays); **3** a defect of the command.

What writes is one transaction: all of it, or nothing. Its records are on the organisation's audit trail, or on the platform's for what
belongs to no organisation, with the actor `operator:NAME`, the reason, and one request id, `cmd_…`. `--dry-run` does it and takes it back.

The JSON object: `command`, `tenant`, `is_refused`; then `is_dry_run`, `is_wrong`, `messages`, `rows` (money as `{"amount": "10.50",
"currency": "KES"}`, instants in UTC) and `records` (`action`, `object`, `changes` as `[before, after]`); or `error` with `code`,
`message` and `arguments`. The codes are those of [errors.md](errors.md), and `usage`, `setting_missing` and `database_unavailable` where no
command was begun.
"""
COLUMNS = "| command | works in | writes | what it does |\n|---|---|---|---|"
PLACES = {Reach.PLATFORM: "the platform", Reach.ONE: "one", Reach.EACH: "one, or each"}


class Command(BaseCommand):
    """Print the document, or write it: ``script/console list_operations --output docs/operations.md``."""

    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--output", type=Path, help="the file to write, in place of printing")

    def handle(self, *_: Any, output: Path | None, **__: Any) -> None:
        if output is None:
            self.stdout.write(document(), ending="")
        else:
            output.write_text(document(), encoding="utf-8")


def document() -> str:
    """Return docs/operations.md as the registry would have it."""
    return "\n".join([HEAD, *(line for noun in NOUNS for line in _section(noun))])


def _section(noun: Noun) -> Iterator[str]:
    yield from (f"## {noun.name}", "", noun.help, "", COLUMNS)
    yield from (_row(noun, verb) for verb in noun.verbs)
    yield ""
    for verb in noun.verbs:
        for argument in verb.arguments:
            yield f"- `{verb.name}` `{argument.usage}`: {argument.help}"
    if any(verb.arguments for verb in noun.verbs):
        yield ""


def _row(noun: Noun, verb: Verb) -> str:
    words = " ".join([noun.name, verb.name, *(argument.usage for argument in verb.arguments)])
    if not verb.writes:
        writes = "no"
    else:
        writes = "yes, with a reason" if verb.asks_why else "yes"
        writes += ", as the owner's role" if verb.is_owners else ""
    shown = words.replace("|", "\\|")
    return f"| `{shown}` | {PLACES[verb.reach]} | {writes} | {verb.help} |"
