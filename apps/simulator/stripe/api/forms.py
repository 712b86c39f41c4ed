"""Form-encoded requests with keys in brackets: `line_items[0][price_data][currency]=kes` becomes objects and lists."""

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

from apps.simulator.api import multipart
from apps.simulator.api.multipart import Part
from apps.simulator.contracts import Request

KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
PART = re.compile(r"\[([^\[\]]*)\]")


def pairs(request: Request) -> list[tuple[str, str]]:
    """Return the parameters of a request as they came, of its address and its body; a file counts by its hash."""
    found = list(request.query.items())
    if multipart.is_multipart(request):
        return [*found, *((part.name, _value(part)) for part in multipart.parts(request))]
    return [*found, *parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True)]


def upload(request: Request) -> Part | None:
    """Return the file that came with a request, or None."""
    return next((part for part in multipart.parts(request) if part.filename), None)


def nested(found: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the parameters as objects and lists; a key that cannot be read stands as it is."""
    root: dict[str, Any] = {}
    for key, value in found:
        matched = KEY.fullmatch(key)
        parts = [matched[1], *PART.findall(matched[2])] if matched else [key]
        _put(root, parts, value)
    return {name: _listed(value) for name, value in root.items()}


def _value(part: Part) -> str:
    return sha256(part.content).hexdigest() if part.filename else part.content.decode(errors="replace")


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
