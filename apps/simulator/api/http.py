"""HTTP on a loopback port: reads requests, lets a face answer, and breaks the answer where a fault asks for it."""

import re
import select
import socket
import struct
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

from apps.simulator.contracts import AnswerKind, Request, Response
from apps.simulator.services.world import World
from apps.simulator.store import StoreClosed

Face = Callable[[Request], Response]

LARGEST_BODY = 1_000_000
LARGEST_FILE = 10_000_000
FILES = re.compile("/stripe/v1/files|/paypal/v1/customer/disputes/[A-Z0-9-]+/provide-evidence")
HANG_MS = 120_000
POLL_SECONDS = 0.05
LINGER = struct.Struct("ii")


class Server(ThreadingHTTPServer):
    """One thread per connection; none of them keeps the process alive."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, *, address: tuple[str, int], world: World, face: Face) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.world = world
        self.face = face
        super().__init__(address, Handler)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Close a connection; one that is to be reset gets no orderly end first."""
        assert isinstance(request, socket.socket)
        is_reset, _ = LINGER.unpack(request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER.size))
        if is_reset:
            self.close_request(request)
        else:
            super().shutdown_request(request)


class Handler(BaseHTTPRequestHandler):
    """One request and its answer, then the connection closes."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "Simulator"
    sys_version = ""
    timeout = 30

    def serve(self) -> None:
        """Answer whatever method came."""
        self.close_connection = True
        if not _is_loopback_name(self.headers.get("Host", "")):
            self._send(Response(status=421, body=b"Use a loopback address.", content_type="text/plain"))
            return
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self._send(Response(status=411, body=b"Content-Length is needed.", content_type="text/plain"))
            return
        if int(length) > (LARGEST_FILE if FILES.fullmatch(self.path) else LARGEST_BODY):
            self._send(Response(status=413, body=b"The body is too large.", content_type="text/plain"))
            return
        try:
            self._give(self.server.face(self._request(int(length))))
        except StoreClosed:
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = serve  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay silent: the call log holds more than a line on the console."""

    def _request(self, length: int) -> Request:
        parts = urlsplit(self.path)
        return Request(
            method="GET" if self.command == "HEAD" else self.command,
            path=unquote(parts.path),
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
        )

    def _give(self, response: Response) -> None:
        is_there = self._wait(response.delay_ms)
        if response.kind is AnswerKind.HANG:
            self._wait(HANG_MS)
        elif response.kind is AnswerKind.RESET:
            self._reset()
        elif is_there:
            self._send(response)

    def _wait(self, milliseconds: int) -> bool:
        """Wait in virtual time; return False when the caller has gone or the simulator stops."""
        world = self.server.world
        until = world.clock.now() + milliseconds
        while world.clock.now() < until:
            if world.is_stopping.wait(POLL_SECONDS) or self._has_left():
                return False
        return True

    def _has_left(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], 0)
        try:
            return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def _reset(self) -> None:
        """Make the closing of the connection a reset instead of an orderly end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER.pack(1, 0))

    def _send(self, response: Response) -> None:
        try:
            self.send_response(response.status)
            for name, value in response.headers:
                self.send_header(name, value)
            self.send_header("Content-Type", response.content_type)
            self.send_header("Content-Length", str(len(response.body)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(response.body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


def _is_loopback_name(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    return name in {"127.0.0.1", "::1", "localhost"} or name.endswith(".localhost")
