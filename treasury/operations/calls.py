"""What a verb is given, and what it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.kit import errors, ids
from apps.kit.actors import Actor

Row = Mapping[str, object]


class ArgumentInvalid(errors.Invalid):
    """An argument of a command is missing, or is not of the form that it needs."""

    code = "argument_invalid"
    title = "Argument not valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One verb asked for, by whom, why, and with what; ``is_dry`` where nothing is to be kept."""

    given: Mapping[str, Any]
    actor: Actor
    reason: str
    now: datetime
    is_dry: bool = False

    def id(self, name: str, prefix: str = "") -> UUID:
        """Return the identifier under this name, in its public form where it has one, or as a UUID."""
        text = str(self.given[name])
        try:
            return ids.decode(prefix, text) if prefix and text.startswith(f"{prefix}_") else UUID(text)
        except ValueError:
            form = f"starts with {prefix}_" if prefix else "is a UUID"
            raise ArgumentInvalid(f"{text!r} is no identifier: one {form}.") from None


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What a verb says: one sentence and, as a table, rows that all have the same columns.

    ``is_wrong``: it found something that somebody must look at. ``document``: people get this and nothing else, to keep it
    as a file.
    """

    sentence: str = ""
    rows: Sequence[Row] = ()
    document: str = ""
    is_wrong: bool = False


@dataclass(slots=True)
class Report:
    """What a command comes to: the answer of each organisation, and the records that it left on the trails."""

    answers: list[tuple[str, Answer]] = field(default_factory=list)
    records: list[Row] = field(default_factory=list)
    is_dry: bool = False

    @property
    def is_wrong(self) -> bool:
        return any(answer.is_wrong for _, answer in self.answers)

    @property
    def rows(self) -> list[Row]:
        """All rows; where there is an organisation, each is led by its name."""
        return [
            {"tenant": tenant, **row} if tenant else row
            for tenant, answer in self.answers
            for row in answer.rows
        ]

    @property
    def sentences(self) -> list[str]:
        said = [(tenant, answer.sentence) for tenant, answer in self.answers if answer.sentence]
        return [f"{tenant}: {sentence}" if tenant else sentence for tenant, sentence in said]
