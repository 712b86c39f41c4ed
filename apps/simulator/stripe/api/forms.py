"""Form-encoded requests with keys in brackets: `line_items[0][price_data][currency]=kes` becomes objects and lists."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from apps.simulator.contracts import Request

KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
PART = re.compile(r"\[([^\[\]]*)\]")


def pairs(request: Request) -> list[tuple[str, str]]:
    """Return the parameters of a request as they came, of its address and its body."""
    found = list(request.query.items())
    return [*found, *parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True)]


def nested(found: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the parameters as objects and lists; a key that cannot be read stands as it is."""
    root: dict[str, Any] = {}
    for key, value in found:
        matched = KEY.fullmatch(key)
        parts = [matched[1], *PART.findall(matched[2])] if matched else [key]
        _put(root, parts, value)
    return {name: _listed(value) for name, value in root.items()}


def _put(into: dict[str, Any], parts: list[str], value: str) -> None:
    name = parts[0] or str(len(into))
    if len(parts) == 1:
        into[name] = value
        return
    inner = into.setdefault(name, {})
    if isinstance(inner, dict):
        _put(inner, parts[1:], value)


def _listed(value: Any) -> Any:
    """Turn objects whose names are numbers into lists."""
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(item) for name, item in value.items()}
    if inner and all(name.isdecimal() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner
