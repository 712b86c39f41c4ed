"""Write the reference of errors, docs/errors.md, from the refusals that the code declares."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from django.core.management.base import BaseCommand, CommandParser
from rest_framework.exceptions import APIException

import apps
import treasury
from apps.integrations import registry
from apps.kit import errors, problems

APART = ("apps.simulator", "treasury.settings", "treasury.asgi", "treasury.wsgi")
HEAD = """# Errors

Every refusal of the API is a problem document (RFC 9457, `application/problem+json`). Made from the code by
`script/console list_errors --output docs/errors.md`; a test compares the two.

    {"type": "/v1/docs/errors#duplicate_reference", "title": "Reference used before", "status": 409,
     "detail": "This reference belongs to pi_….", "instance": "/v1/savanna/payments", "code": "duplicate_reference",
     "category": "business", "request_id": "req_…", "retryable": false,
     "errors": [{"pointer": "/reference", "code": "duplicate_reference", "message": "…"}]}

Decide by `code`: it is stable. `detail` is for people and may change. `errors` names the fields, by JSON pointer.
`retryable` says that the same request may succeed later. Quote `request_id` when you ask for help.

- A missing, unknown, revoked or foreign key gets one identical 401, whether the path exists or not.
- What exists but may not be seen by the key is a 404.
- A field that is not known is refused: 422 `validation_error`, with `unknown_field` in `errors`.
- After an error of an idempotent request the key is free again, except for a final refusal (402, or 409 that is not
  retryable): that is stored and replayed.

Some of the refusals below meet people in the portal or operators at the command line only; the code is the same.
"""
FAILURES = """
## Why a payment failed

Not errors of a request: `failure.code` of a payment that ended without money, and `failure.message` beside it. A request
that never reached the provider fails after the third try with what stood in its way: `network_unreachable`, `auth_token` or
`rate_limited`. `method_not_available` says that the account was switched off before the request was sent, `not_paid` that no answer ever came and
people closed the payment: the provider's statement shows no money.

| code | provider | message |
|---|---|---|
"""
COLUMNS = "| code | status | category | may be retried | what it means |\n|---|---|---|---|---|"
PLACES = {"kit": "Everywhere", "treasury": "The whole product"}


class Refusal(NamedTuple):
    """One row of the reference."""

    place: str
    code: str
    status: int
    category: str
    is_retryable: bool
    meaning: str

    def __str__(self) -> str:
        retry = "yes" if self.is_retryable else "no"
        return f"| `{self.code}` | {self.status} | {self.category} | {retry} | {self.meaning} |"


class Command(BaseCommand):
    """Print the document, or write it: ``script/console list_errors --output docs/errors.md``."""

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
    """Return docs/errors.md as the code would have it."""
    own = set(declared())
    known = {row.code for row in own}
    rows = own | {row for row in of_the_framework() if row.code not in known}
    parts = [HEAD]
    for place, group in groupby(sorted(rows, key=_order), key=lambda row: row.place):
        title = PLACES.get(place, place.capitalize())
        parts.append("\n".join([f"\n## {title}\n", COLUMNS, *map(str, group), ""]))
    return "".join([*parts, FAILURES, "\n".join(failures()), "\n"])


def failures() -> list[str]:
    """Return the rows of the reasons of every provider."""
    found = [
        (code, provider.name, text)
        for provider in registry.providers().values()
        for code, text in provider.reasons.items()
    ]
    return [f"| `{code}` | {name} | {text} |" for code, name, text in sorted(found)]


def declared() -> Iterator[Refusal]:
    """Yield every domain error that has a code of its own, after importing all modules that may declare one."""
    for package in (apps, treasury):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.startswith(APART) and ".migrations" not in module.name:
                import_module(module.name)
    for error in _below(errors.DomainError):
        if "code" in vars(error) and not error.__module__.startswith("tests."):
            top, _, rest = error.__module__.partition(".")
            place = rest.partition(".")[0] if top == "apps" else top
            meaning = (error.__doc__ or f"{error.title}.").strip().splitlines()[0]
            yield Refusal(place, error.code, error.status, error.category, error.retryable, meaning)


def of_the_framework() -> Iterator[Refusal]:
    """Yield what the REST framework refuses before a view has begun."""
    for error, (code, title) in problems.CODES.items():
        if issubclass(error, APIException):
            yield Refusal("kit", code, error.status_code, "request", is_retryable=False, meaning=f"{title}.")


def _below(error: type[errors.DomainError]) -> Iterator[type[errors.DomainError]]:
    for child in error.__subclasses__():
        yield child
        yield from _below(child)


def _order(row: Refusal) -> tuple[int, Refusal]:
    """Put what can happen everywhere first, then the apps by name."""
    order = list(PLACES)
    return (order.index(row.place) if row.place in order else len(order), row)
