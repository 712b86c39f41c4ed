"""Every endpoint of the API, as the URL resolver knows them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.urls import URLPattern, URLResolver, get_resolver

from apps.kit import ids
from apps.kit.views import TreasuryViewSet

NOBODYS = UUID("01936000-0000-7000-8000-0000000000ff")
PARAMETER = re.compile(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)|<(?:\w+:)?(\w+)>")


@dataclass(frozen=True)
class Endpoint:
    """One method of one path: what answers, and with which identifier its path is filled."""

    route: str
    method: str
    action: str
    view: type[TreasuryViewSet]

    def path(self, *, organisation: str, row_id: UUID = NOBODYS) -> str:
        """Return the path below an organisation, about one row where it is about a row."""

        def fill(match: re.Match[str]) -> str:
            name = match[1] or match[2]
            return organisation if name == "tenant_id" else ids.encode(self.view.id_prefix or "xx", row_id)

        return "/" + PARAMETER.sub(fill, self.route)

    @property
    def is_about_a_row(self) -> bool:
        return len(PARAMETER.findall(self.route)) > 1

    @property
    def name(self) -> str:
        """Return how tables call it, without the organisation: ``POST payments/{id}/cancel``."""
        shown = PARAMETER.sub(lambda match: f"{{{match[1] or match[2]}}}", self.route)
        return f"{self.method.upper()} {shown.partition('{tenant_id}/')[2]}"

    @property
    def is_alias(self) -> bool:
        return self.route.startswith("api/")

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.route}"


def every() -> list[Endpoint]:
    """Return the endpoints below /v1 and its alias, in a stable order."""
    return sorted(set(_walk(get_resolver().url_patterns, "")), key=str)


def _walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[Endpoint]:
    for entry in patterns:
        route = prefix + str(entry.pattern).removeprefix("^").removesuffix("$").removesuffix(r"\Z")
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, route)
        elif hasattr(entry.callback, "actions") and route.startswith(("v1/", "api/v1/")):
            for method, action in entry.callback.actions.items():
                yield Endpoint(route, method, action, entry.callback.cls)
