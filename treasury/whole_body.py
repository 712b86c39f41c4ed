"""Requests that end early: half a body is nobody's wish, so it is refused before anything reads it as the whole."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

type Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _Input(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...
    def readline(self, size: int = -1, /) -> bytes: ...


class RequestEndedEarly(OSError):
    """The caller is gone, and fewer bytes came than his Content-Length announced. Django makes UnreadablePostError of it."""


class _WholeBody:
    """Reads as the server's input does, but raises RequestEndedEarly where that ends before the announced length."""

    def __init__(self, source: _Input, length: int) -> None:
        self.source, self.left = source, length

    def read(self, size: int = -1, /) -> bytes:
        return self._counted(self.source.read(size), size)

    def readline(self, size: int = -1, /) -> bytes:
        return self._counted(self.source.readline(size), size, end=b"\n")

    def _counted(self, part: bytes, size: int, *, end: bytes | None = None) -> bytes:
        wanted = self.left if size < 0 else min(size, self.left)
        is_whole = len(part) >= wanted or (end is not None and part.endswith(end))
        if not is_whole:
            raise RequestEndedEarly(f"{self.left - len(part)} bytes of the body never came")
        self.left -= len(part)
        return part


def whole_bodies(application: Application) -> Application:
    """Wrap a WSGI application: a server hands on what came before a caller died, as if it were all there is."""

    def wrapper(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or "0"
        if length.isdigit():
            environ["wsgi.input"] = _WholeBody(environ["wsgi.input"], int(length))
        return application(environ, start_response)

    return wrapper
