"""All outgoing HTTP: one client that resolves, checks and pins the address, with time-outs, a size cap and no redirects."""

import ipaddress
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

import httpcore

from apps.kit import logs

log = logs.get(__name__)

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 20.0
MAX_BYTES = 2_000_000
DEFAULT_PORTS = {"http": 80, "https": 443}
NOT_PUBLIC = (
    ipaddress.ip_network("100.64.0.0/10"),  # shared address space, RFC 6598
    ipaddress.ip_network("64:ff9b::/96"),  # NAT64, RFC 6052: leads to any IPv4 address, inner ones too
    ipaddress.ip_network("64:ff9b:1::/48"),  # local NAT64, RFC 8215
    ipaddress.ip_network("2002::/16"),  # 6to4, RFC 3056: carries an IPv4 address
    ipaddress.ip_network("2001::/32"),  # Teredo, RFC 4380: carries an IPv4 address
    ipaddress.ip_network("fec0::/10"),  # site-local, RFC 3879
)
"""Networks that Python's ``is_global`` lets pass, in some version of it, though they may lead inside."""


class NotSent(Exception):
    """The request never left: no address, no connection, no TLS. Sending it again is safe."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(detail or kind)
        self.kind = kind


class Blocked(NotSent):
    """The address may not be reached from here (private, loopback, link-local, metadata, or not allowed)."""

    def __init__(self, detail: str) -> None:
        super().__init__("blocked", detail)


class NoAnswer(Exception):
    """The request left and no usable answer came: it may have been carried out."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(detail or kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: header names in lower case, the whole body, milliseconds, and the address that answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed_ms: int
    address: str


type Carrier = Callable[[str, str, Mapping[str, str], bytes], Answer]
"""Takes method, URL, headers and content in place of the network; raises NotSent or NoAnswer as the network would."""

_carrier: ContextVar[Carrier | None] = ContextVar("http_carrier", default=None)


@contextmanager
def carried(carrier: Carrier) -> Iterator[None]:
    """Hand every request of this context to ``carrier``, after its address was checked: for a world in one process."""
    mark = _carrier.set(carrier)
    try:
        yield
    finally:
        _carrier.reset(mark)


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """
    Which addresses may be reached: public ones, and loopback only below the given URL prefixes.

    ``https_only`` and ``default_ports_only`` hold for public addresses.
    """

    allowed_loopback: tuple[str, ...] = ()
    https_only: bool = False
    default_ports_only: bool = False

    def allows_loopback(self, url: str) -> bool:
        return any(
            url == prefix or url.startswith(prefix.rstrip("/") + "/")
            for prefix in self.allowed_loopback
            if prefix
        )


def pick_address(url: str, policy: AddressPolicy) -> str:
    """Resolve the host of ``url`` and return one address that may be reached; raise Blocked or NotSent."""
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.username:
        raise Blocked(f"{url!r} is not a plain http or https address")
    if any(unquote(segment) in {".", ".."} for segment in parts.path.split("/")):
        raise Blocked(f"{url!r} leads back up its own path")
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotSent("dns", f"{parts.hostname} has no address: {error}") from error
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        _check(url, address, port, policy)
    return addresses[0]


def _check(url: str, address: str, port: int, policy: AddressPolicy) -> None:
    ip = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if ip.is_loopback:
        if not policy.allows_loopback(url):
            _refuse(url, address)
        return
    is_inside = any(ip in network for network in NOT_PUBLIC)
    if is_inside or not ip.is_global or ip.is_multicast or ip.is_reserved:
        _refuse(url, address)
    if policy.https_only and not url.startswith("https://"):
        raise Blocked("only https addresses may be reached")
    if policy.default_ports_only and port not in DEFAULT_PORTS.values():
        raise Blocked(f"port {port} may not be reached")


def _refuse(url: str, address: str) -> NoReturn:
    """Log which address it was, and tell nobody else: what inner names lead to is no business of who chose the URL."""
    log.warning("address_blocked", host=urlsplit(url).hostname, address=address)
    raise Blocked("the address leads to no public host")


@dataclass(slots=True)
class _PinnedBackend(httpcore.NetworkBackend):
    """
    Connects to the checked address, whatever the name resolves to by then; TLS still names the host. ``deadline`` is that of
    the exchange of the moment.
    """

    address: str
    deadline: float = 0.0
    inner: httpcore.NetworkBackend = field(default_factory=httpcore.SyncBackend)

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 (replaced by the checked address)
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        stream = self.inner.connect_tcp(self.address, port, timeout, local_address, socket_options)
        return _DeadlineStream(stream, self)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(slots=True)
class _DeadlineStream(httpcore.NetworkStream):
    """Ends an exchange at one instant, however slowly the other side drips: a time-out per read would never come."""

    inner: httpcore.NetworkStream
    backend: _PinnedBackend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = self.backend.deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the answer did not end in time")
        return self.inner.read(max_bytes, min(left, timeout) if timeout else left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.inner.write(buffer, timeout)

    def close(self) -> None:
        self.inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _DeadlineStream(self.inner.start_tls(ssl_context, server_hostname, timeout), self.backend)

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)


@dataclass(frozen=True, slots=True)
class Client:
    """Sends one request at a time over a fresh connection; nothing is retried and no redirect is followed."""

    policy: AddressPolicy = AddressPolicy()
    connect_timeout: float = CONNECT_TIMEOUT
    read_timeout: float = READ_TIMEOUT
    max_bytes: int = MAX_BYTES

    def send(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> Answer:
        """Send and return the answer, whatever its status. Raise NotSent (safe to repeat) or NoAnswer (not safe)."""
        with self.line(url) as line:
            return line.send(method, headers=headers, content=content)

    @contextmanager
    def line(self, url: str) -> "Iterator[Line]":
        """Keep a connection to one URL for several requests, one after the other; it is made with the first one."""
        line = Line(self, url)
        try:
            yield line
        finally:
            line.hang_up()


@dataclass(slots=True)
class Line:
    """
    Requests to one URL over one connection, for as long as the other side keeps it; after a failure the next one is made
    anew, to an address that is checked again.
    """

    client: Client
    url: str
    _backend: _PinnedBackend | None = None
    _pool: httpcore.ConnectionPool | None = None

    def send(self, method: str, *, headers: Mapping[str, str] | None = None, content: bytes = b"") -> Answer:
        """As ``Client.send``. What the other side hung up on meanwhile is NoAnswer like any answer that does not come."""
        client = self.client
        backend = self._backend = self._backend or _PinnedBackend(pick_address(self.url, client.policy))
        carrier = _carrier.get()
        if carrier is not None:
            return carrier(method, self.url, headers or {}, content)
        pool = self._pool = self._pool or httpcore.ConnectionPool(
            ssl_context=_trust() if self.url.startswith("https://") else None, network_backend=backend
        )
        started = time.monotonic()
        backend.deadline = started + client.connect_timeout + client.read_timeout
        try:
            response = pool.handle_request(self._request(method, headers or {}, content))
            body = self._read(response)
        except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout) as error:
            self.hang_up()
            raise NotSent(_connect_kind(error), str(error)) from error
        except httpcore.TimeoutException as error:
            self.hang_up()
            raise NoAnswer("timeout", str(error)) from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            self.hang_up()
            raise NoAnswer("connection", str(error)) from error
        answer_headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
        }
        elapsed = round((time.monotonic() - started) * 1000)
        return Answer(response.status, answer_headers, body, elapsed, backend.address)

    def hang_up(self) -> None:
        """Close the connection, and forget the address."""
        if self._pool is not None:
            self._pool.close()
        self._pool = self._backend = None

    def _request(self, method: str, headers: Mapping[str, str], content: bytes) -> httpcore.Request:
        client = self.client
        timeout = {
            "connect": client.connect_timeout,
            "pool": client.connect_timeout,
            "read": client.read_timeout,
            "write": client.read_timeout,
        }
        return _request(method, self.url, headers, content, timeout)

    def _read(self, response: httpcore.Response) -> bytes:
        chunks: list[bytes] = []
        size = 0
        for chunk in _stream(response):
            size += len(chunk)
            if size > self.client.max_bytes:
                self.hang_up()
                raise NoAnswer("too_large", f"the answer has more than {self.client.max_bytes} bytes")
            chunks.append(chunk)
        return b"".join(chunks)


@cache
def _trust() -> ssl.SSLContext:
    """Return the context with the machine's certificates, which take milliseconds to load."""
    return ssl.create_default_context()


def _stream(response: httpcore.Response) -> Iterator[bytes]:
    try:
        yield from response.iter_stream()
    finally:
        response.close()


def _request(
    method: str, url: str, headers: Mapping[str, str], content: bytes, timeout: Mapping[str, float]
) -> httpcore.Request:
    """Build the request with the two headers that every HTTP/1.1 request needs; the caller's own win."""
    needed = {
        "Host": urlsplit(url).netloc,
        "Content-Length": str(len(content)),
        "Accept-Encoding": "identity",
    }
    given = {name.lower() for name in headers}
    sent = [(name, value) for name, value in needed.items() if name.lower() not in given] + list(
        headers.items()
    )
    raw = [(name.encode("ascii"), value.encode("latin-1")) for name, value in sent]
    return httpcore.Request(
        method=method, url=url, headers=raw, content=content, extensions={"timeout": dict(timeout)}
    )


def _connect_kind(error: Exception) -> str:
    if isinstance(error, httpcore.ConnectTimeout):
        return "connect_timeout"
    return "tls" if isinstance(error.__context__, ssl.SSLError) or "SSL" in str(error) else "connect"


def parse_json(body: bytes) -> object:
    """Parse JSON with exact decimals; raise ValueError for anything else (an HTML page, an empty body)."""
    try:
        return json.loads(body, parse_float=Decimal)
    except RecursionError:
        raise ValueError("nested too deeply") from None
