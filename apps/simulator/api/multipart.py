"""Requests that come in parts, as files do."""

from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

from apps.simulator.contracts import Request


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a request: its name, its content, and the name of the file where it is one."""

    name: str
    content: bytes
    filename: str = ""


def is_multipart(request: Request) -> bool:
    """Tell whether a request comes in parts."""
    return request.headers.get("content-type", "").startswith("multipart/form-data")


def parts(request: Request) -> list[Part]:
    """Return the parts of a request, none where it does not come in parts."""
    if not is_multipart(request):
        return []
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser(policy=policy.HTTP).parsebytes(head + request.body)
    return [_part(part) for part in message.iter_parts() if isinstance(part, EmailMessage)]


def _part(part: EmailMessage) -> Part:
    content = part.get_payload(decode=True)
    return Part(
        name=str(part.get_param("name", "", header="content-disposition")),
        content=content if isinstance(content, bytes) else b"",
        filename=part.get_filename() or "",
    )
