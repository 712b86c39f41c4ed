"""From the words on the command line to what is asked for."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from treasury.operations.registry import NOUNS
from treasury.operations.verbs import Noun, Reach, Verb
from treasury.settings import env

PROGRAM = "bin/treasury"
SHORT = {"check": ["system", "check"], "version": ["system", "version"]}
OPERATOR_LENGTH = 64
REASON_LENGTH = 500
CODES = "Exit codes: 0 done, 1 something wrong was found, 2 refused: nothing was changed, 3 a defect of the command."


class UsageRefused(Exception):
    """The words make no command; the message is one sentence that names the argument."""


class Parser(argparse.ArgumentParser):
    """A parser that refuses by an exception, so that the refusal can be printed as every other."""

    def error(self, message: str) -> NoReturn:
        raise UsageRefused(f"{message[:1].upper()}{message[1:]}. See {self.prog} --help.")


@dataclass(frozen=True, slots=True)
class Asked:
    """One command, as it was asked for."""

    noun: Noun
    verb: Verb
    given: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"{self.noun.name} {self.verb.name}"

    @property
    def tenant(self) -> str | None:
        return self.given.get("tenant")

    @property
    def is_dry(self) -> bool:
        return bool(self.given.get("dry_run"))

    @property
    def is_json(self) -> bool:
        return bool(self.given["json"])

    @property
    def operator(self) -> str:
        return str(self.given.get("as") or "").strip()

    @property
    def reason(self) -> str:
        return str(self.given.get("reason") or "").strip()


def parse(words: Sequence[str]) -> Asked:
    """Return what is asked for; raise UsageRefused. ``--help`` prints and ends the process."""
    words = [*SHORT.get(words[0], [words[0]]), *words[1:]] if words else ["--help"]
    found = vars(parser().parse_args(words))
    asked = Asked(found.pop("noun"), found.pop("verb"), found)
    if asked.verb.writes:
        _check_signature(asked)
    return asked


def parser() -> argparse.ArgumentParser:
    """Return the parser of every command in the registry."""
    top = Parser(prog=PROGRAM, description=f"The operator's commands, by noun. {CODES}")
    nouns = top.add_subparsers(metavar="NOUN", required=True)
    for noun in NOUNS:
        of_noun = nouns.add_parser(noun.name, help=noun.help, description=noun.help)
        verbs = of_noun.add_subparsers(metavar="VERB", required=True)
        for verb in noun.verbs:
            added = verbs.add_parser(verb.name, help=verb.help, description=f"{verb.help} {CODES}")
            added.set_defaults(noun=noun, verb=verb)
            _add_arguments(added, verb)
    return top


def _add_arguments(target: argparse.ArgumentParser, verb: Verb) -> None:
    for argument in verb.arguments:
        is_flag = argument.options.get("action") == "store_true"
        shape: dict[str, Any] = {} if is_flag else {"metavar": argument.metavar}
        target.add_argument(argument.name, help=argument.help, **shape, **argument.options)
    if verb.reach is not Reach.PLATFORM:
        where = target.add_mutually_exclusive_group(required=True)
        where.add_argument("--tenant", metavar="SLUG", help="the organisation")
        if verb.reach is Reach.EACH:
            where.add_argument("--all", action="store_true", help="every organisation")
    target.add_argument("--json", action="store_true", help="print one JSON object, and nothing else")
    if not verb.writes:
        return
    target.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    target.add_argument(
        "--as",
        metavar="NAME",
        default=env.text("TREASURY_OPERATOR"),
        help="who you are, for the audit trail; else $TREASURY_OPERATOR",
    )
    target.add_argument("--reason", metavar="TEXT", required=verb.asks_why, help="why, for the audit trail")


def _check_signature(asked: Asked) -> None:
    if not 0 < len(asked.operator) <= OPERATOR_LENGTH:
        raise UsageRefused(
            f"Say who you are with --as NAME or $TREASURY_OPERATOR, in {OPERATOR_LENGTH} characters at most."
        )
    if asked.verb.asks_why and not asked.reason:
        raise UsageRefused("Say why with --reason TEXT: it is kept on the audit trail.")
    if len(asked.reason) > REASON_LENGTH:
        raise UsageRefused(f"--reason TEXT has {REASON_LENGTH} characters at most.")
