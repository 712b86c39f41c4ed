"""Expansion: an identifier in an answer becomes the object that it names, where the caller asks for it."""

from typing import Any

from apps.simulator.stripe.contracts import Scope
from apps.simulator.stripe.services import balances, objects


def expand(scope: Scope, value: Any, paths: list[str]) -> Any:
    """Return the answer with the paths expanded; what is empty stays so."""
    for path in paths:
        value = _expanded(scope, value, path.split("."))
    return value


def _expanded(scope: Scope, value: Any, parts: list[str]) -> Any:
    if isinstance(value, str):
        found = objects.any_of(scope, value)
        if found is None:
            return value
        if found["object"] == "balance_transaction":
            found = balances.present(scope, found)
        return _expanded(scope, found, parts)
    if isinstance(value, list):
        return [_expanded(scope, item, parts) for item in value]
    if not isinstance(value, dict) or not parts:
        return value
    name, rest = parts[0], parts[1:]
    return value | {name: _expanded(scope, value[name], rest)} if name in value else value
