"""Every address of an organisation's portal, and of what lies outside of organisations, as the URL resolver knows them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver

PORTAL = "portal/"
PARAMETER = re.compile(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)|<(?:\w+:)?(\w+)>")


@dataclass(frozen=True, slots=True)
class Address:
    """One address: its route below the organisation's host, and how the tables call it."""

    name: str
    route: str

    @property
    def parameters(self) -> list[str]:
        return [match[1] or match[2] for match in PARAMETER.finditer(self.route)]

    def path(self, facts: Mapping[str, object]) -> str:
        return "/" + PARAMETER.sub(lambda match: str(facts[match[1] or match[2]]), self.route)


def every() -> dict[str, Address]:
    """
    Return the addresses below /portal/ by name; those of an admin class are called ``payments.refund do/verify``.

    Django's redirects without a name are left out: from a row to its page, and from anything else to nothing.
    """
    return {found.name: found for found in _walk(get_resolver("treasury.urls_tenant").url_patterns, "")}


def _walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[Address]:
    for entry in patterns:
        route = prefix + str(entry.pattern).removeprefix("^").removesuffix("$").removesuffix(r"\Z")
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, route)
        elif route.startswith(PORTAL) and entry.name is not None:
            yield Address(_of_admin(route) or entry.name, route)


def of_platform() -> dict[str, Address]:
    """Return the addresses outside of the organisations; each is called by method and route: ``GET platform/login/``."""
    return {found.name: found for found in _methods(get_resolver("treasury.urls_public").url_patterns, "")}


def _methods(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[Address]:
    for entry in patterns:
        route = prefix + str(entry.pattern).removeprefix("^").removesuffix("$").removesuffix(r"\Z")
        if isinstance(entry, URLResolver):
            yield from _methods(entry.url_patterns, route)
            continue
        shown = PARAMETER.sub("{row}", route)
        for method in getattr(entry.callback, "actions", None) or ["get"]:
            yield Address(f"{method.upper()} {shown}", route)


def _of_admin(route: str) -> str:
    """Return the name of an address of an admin class, or nothing."""
    for model in admin.site._registry:
        below = f"{PORTAL}{model._meta.app_label}/{model._meta.model_name}/"
        if route.startswith(below):
            rest = PARAMETER.sub("{row}", route.removeprefix(below)).rstrip("/")
            return f"{model._meta.label_lower} {rest}".rstrip()
    return ""
