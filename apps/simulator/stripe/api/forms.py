"""Form-encoded requests with keys in brackets: `line_items[0][price_data][currency]=kes` becomes objects and lists."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

from apps.simulator.contracts import Request

KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
PART = re.compile(r"\[([^\[\]]*)\]")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a request."""

    name: str
    content: bytes


def pairs(request: Request) -> list[tuple[str, str]]:
    """Return the parameters of a request as they came, of its address and its body; a file counts by its hash."""
    found = list(request.query.items())
    if _is_multipart(request):
        return [*found, *((_name(part), _value(part)) for part in _parts(request))]
    return [*found, *parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True)]


def upload(request: Request) -> Upload | None:
    """Return the file that came with a request, or None."""
    for part in _parts(request) if _is_multipart(request) else []:
        if part.get_filename():
            return Upload(part.get_filename() or "", _content(part))
    return None


def nested(found: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the parameters as objects and lists; a key that cannot be read stands as it is."""
    root: dict[str, Any] = {}
    for key, value in found:
        matched = KEY.fullmatch(key)
        parts = [matched[1], *PART.findall(matched[2])] if matched else [key]
        _put(root, parts, value)
    return {name: _listed(value) for name, value in root.items()}


def _is_multipart(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("multipart/form-data")


def _parts(request: Request) -> list[EmailMessage]:
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser(policy=policy.HTTP).parsebytes(head + request.body)
    return [part for part in message.iter_parts() if isinstance(part, EmailMessage)]


def _name(part: EmailMessage) -> str:
    return str(part.get_param("name", "", header="content-disposition"))


def _value(part: EmailMessage) -> str:
    content = _content(part)
    return sha256(content).hexdigest() if part.get_filename() else content.decode(errors="replace")


def _content(part: EmailMessage) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


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
