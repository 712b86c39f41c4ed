"""An address on this machine where a provider's callbacks come; what came is kept as it came."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True)
class Arrived:
    """One callback as it came to our address."""

    path: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@contextmanager
def listening(arrived: list[Arrived], *, port: int = 0) -> Iterator[str]:
    """Yield the base address while every callback that comes is acknowledged and appended; port 0 takes a free one."""

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            arrived.append(Arrived(self.path, body, dict(self.headers)))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"ResultCode":0,"ResultDesc":"Accepted"}')

        def log_message(self, *_: object) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", port), Keep)
    threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{listener.server_port}"
    listener.shutdown()
    listener.server_close()
