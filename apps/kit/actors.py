"""Who does something: a user, an API key, the system itself, a provider, or an operator at the command line."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

PORTAL = "portal"
"""The application that people work through."""


class ActorKind(StrEnum):
    USER = "USER"
    API_KEY = "API_KEY"
    SYSTEM = "SYSTEM"
    PROVIDER = "PROVIDER"
    OPERATOR = "OPERATOR"


@dataclass(frozen=True, slots=True)
class Actor:
    """
    Who acts. ``person`` is the human behind it, as far as there is one: for an API key the person who made it.

    Maker and checker are compared by ``person``, so two keys of one person are one person.
    """

    kind: ActorKind
    id: str
    person: str = ""
    application: str = ""

    def __str__(self) -> str:
        return f"{self.kind.lower()}:{self.id}"


BETWEEN = ", "
WRITTEN = re.compile(
    r"(user|api_key):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(system|provider|operator):[^,\0]+"
)

SYSTEM = Actor(ActorKind.SYSTEM, "treasury")
PROVIDER = Actor(ActorKind.PROVIDER, "provider")


def person(user_id: object) -> Actor:
    """Return the actor that stands for a person in the portal."""
    return Actor(ActorKind.USER, str(user_id), person=str(user_id), application=PORTAL)


def operator(name: str) -> Actor:
    """Return the actor that stands for somebody at the command line, by the name that he gave: no account of his is asked."""
    return Actor(ActorKind.OPERATOR, name)


def joined(actors: Iterable[str], *, longest: int) -> str:
    """Return several actors as one text of ``longest`` characters at most: the first ones, each of them whole."""
    text = ""
    for actor in actors:
        longer = f"{text}{BETWEEN}{actor}" if text else actor
        if len(longer) > longest:
            break
        text = longer
    return text


def are_written(text: str) -> bool:
    """Whether a text names actors as ``str`` and ``joined`` write them; nothing names nobody."""
    return not text or all(WRITTEN.fullmatch(actor) for actor in text.split(BETWEEN))
