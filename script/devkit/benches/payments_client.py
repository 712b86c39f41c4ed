"""Connections of the payments bench to our web: Python's own, one for each thread, so that who asks takes little of the machine."""

import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

KEPT_ALIVE = 30.0  # shorter than the server's own, so that no connection is used while it is being closed
FAILURES = (OSError, HTTPException)


@dataclass(slots=True)
class Client:
    """Posts JSON, which is written already, to one origin; what goes wrong is one of FAILURES."""

    origin: str
    timeout: float
    _own: threading.local = field(default_factory=threading.local)

    def post(self, path: str, body: str, headers: dict[str, str]) -> tuple[int, bytes]:
        """Return the status and the body of the answer."""
        connection = self._connection()
        try:
            connection.request("POST", path, body.encode(), {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            found = answer.status, answer.read()
        except FAILURES:
            connection.close()
            raise
        self._own.used_at = time.monotonic()
        return found

    def _connection(self) -> HTTPConnection:
        known: HTTPConnection | None = getattr(self._own, "connection", None)
        if known is None:
            parts = urlsplit(self.origin)
            known = self._own.connection = HTTPConnection(
                parts.hostname or "", parts.port, timeout=self.timeout
            )
        elif time.monotonic() - getattr(self._own, "used_at", 0.0) > KEPT_ALIVE:
            known.close()  # the next request opens it anew
        return known
