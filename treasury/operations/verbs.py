"""What a command consists of: a noun, its verbs, and what each verb may be told."""

import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Reach(Enum):
    """Where a verb works."""

    PLATFORM = "the platform"
    ONE = "one organisation"
    EACH = "one organisation, or each of them"


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a verb, by position or (``--name``) by name; ``options`` are those of argparse."""

    name: str
    help: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_option(self) -> bool:
        return self.name.startswith("--")

    @property
    def key(self) -> str:
        """The name under which the verb reads it."""
        return self.name.lstrip("-").replace("-", "_")

    @property
    def metavar(self) -> str:
        return self.key.upper().replace("_", "-")

    @property
    def usage(self) -> str:
        """How the argument is written on the command line."""
        if not self.is_option:
            return f"[{self.metavar}]" if self.options.get("nargs") == "?" else self.metavar
        is_flag = self.options.get("action") == "store_true"
        shown = self.name if is_flag else f"{self.name} {self.metavar}"
        return shown if self.options.get("required") else f"[{shown}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """
    One thing that an operator can do.

    ``writes``: it changes something, so it names the operator, can be rehearsed, and leaves a record on the trail.
    ``asks_why``: it also takes a reason. ``is_owners``: it works on schemas, as the database role that owns them.
    ``is_whole``: it is one transaction; a verb that is not must rehearse by itself.
    """

    name: str
    help: str
    reach: Reach
    arguments: tuple[Argument, ...] = ()
    writes: bool = False
    asks_why: bool = False
    is_owners: bool = False
    is_whole: bool = True

    @property
    def function(self) -> str:
        """The function in the noun's module that does it."""
        name = self.name.replace("-", "_")
        return f"{name}_" if name in vars(builtins) else name

    @property
    def positionals(self) -> tuple[Argument, ...]:
        return tuple(argument for argument in self.arguments if not argument.is_option)


@dataclass(frozen=True, slots=True)
class Noun:
    """What the verbs are about; the module of the same name in ``nouns`` has their functions."""

    name: str
    help: str
    verbs: tuple[Verb, ...]
