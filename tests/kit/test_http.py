"""Outgoing HTTP."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer

import pytest

from apps.kit import http


class Receiver(BaseHTTPRequestHandler):
    """Answers by path."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/")
        elif self.path == "/big":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"x" * 5000)
            return
        elif self.path == "/drip":
            for _ in range(50):
                self.wfile.write(b"HTTP/1.1 200 OK\r\n" if _ == 0 else b"X: y\r\n")
                if self.server.released.wait(0.1):
                    return
            return
        elif self.path == "/hang":
            self.server.released.wait(5)
            return
        else:
            self.send_response(200)
            self.send_header("X-Seen-Host", self.headers["Host"])
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def base() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.released = threading.Event()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.released.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def client(base) -> Callable[..., http.Client]:
    def make(**options: object) -> http.Client:
        return http.Client(policy=http.AddressPolicy(allowed_loopback=(base,)), **options)

    return make


def test_sends_and_gives_the_answer_back(base, client):
    answer = client().send("POST", f"{base}/echo", content=b'{"a":1.10}')

    assert (answer.status, answer.body, answer.address) == (200, b'{"a":1.10}', "127.0.0.1")
    assert answer.headers["x-seen-host"] in base


def test_follows_no_redirect(base, client):
    assert client().send("POST", f"{base}/redirect").status == 302


def test_knows_when_the_answer_is_too_large_or_late(base, client):
    with pytest.raises(http.NoAnswer) as large:
        client(max_bytes=1000).send("POST", f"{base}/big")
    with pytest.raises(http.NoAnswer) as late:
        client(read_timeout=0.3).send("POST", f"{base}/hang")

    assert (large.value.kind, late.value.kind) == ("too_large", "timeout")


def test_ends_an_answer_that_only_drips(base, client):
    began = time.monotonic()
    with pytest.raises(http.NoAnswer) as late:
        client(read_timeout=0.5, connect_timeout=0.5).send("POST", f"{base}/drip")

    assert late.value.kind == "timeout"
    assert time.monotonic() - began < 4


def test_knows_when_nothing_was_sent():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(http.NotSent) as refused:
        http.Client(policy=http.AddressPolicy(allowed_loopback=(url,))).send("POST", f"{url}/x")

    assert refused.value.kind == "connect"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x",
        "http://localhost/x",
        "http://[::1]/x",
        "http://[::ffff:127.0.0.1]/x",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/x",
        "http://192.168.1.1/x",
        "http://100.64.0.1/x",
        "http://0.0.0.0/x",
        "http://[64:ff9b::a9fe:a9fe]/x",
        "http://[64:ff9b::808:808]/x",
        "http://[64:ff9b:1::a00:1]/x",
        "http://[2002:a9fe:a9fe::1]/x",
        "http://[2001:0:7f00:1::1]/x",
        "http://[fec0::1]/x",
        "http://[fd00::1]/x",
        "http://[fe80::1]/x",
        "http://2130706433/x",
        "http://user:pass@93.184.216.34/x",
        "ftp://93.184.216.34/x",
        "file:///etc/passwd",
        "http:///x",
    ],
)
def test_refuses_addresses_that_are_not_public(url):
    with pytest.raises(http.Blocked):
        http.Client().send("POST", url)


def test_tells_nobody_what_an_inner_name_leads_to(monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.3.4", 443))]
    monkeypatch.setattr(http.socket, "getaddrinfo", lambda *_, **__: found)

    with pytest.raises(http.Blocked) as refusal:
        http.pick_address("https://database.inner.example/x", http.AddressPolicy())

    assert "10.0.3.4" not in str(refusal.value)


def test_refuses_loopback_beside_the_allowed_prefix(base):
    policy = http.AddressPolicy(allowed_loopback=(f"{base}/sandbox/",))
    with pytest.raises(http.Blocked):
        http.pick_address(f"{base}/admin", policy)
    with pytest.raises(http.Blocked):
        http.pick_address(f"{base}/sandboxed", policy)
    with pytest.raises(http.Blocked):
        http.pick_address(f"{base}/sandbox/%2e%2e/admin", policy)

    assert http.pick_address(f"{base}/sandbox/x", policy) == "127.0.0.1"


def test_refuses_http_and_odd_ports_where_the_policy_says_so():
    policy = http.AddressPolicy(https_only=True, default_ports_only=True)
    with pytest.raises(http.Blocked):
        http.pick_address("http://93.184.216.34/x", policy)
    with pytest.raises(http.Blocked):
        http.pick_address("https://93.184.216.34:8443/x", policy)

    assert http.pick_address("https://93.184.216.34/x", policy) == "93.184.216.34"


def test_reads_json_with_exact_decimals():
    assert str(http.parse_json(b'{"a": 1.10}')["a"]) == "1.10"
    with pytest.raises(ValueError, match="Expecting value"):
        http.parse_json(b"<html>")


def test_a_carrier_stands_for_the_network_behind_the_same_walls():
    sent = []

    def carry(*request):
        sent.append(request)
        return http.Answer(200, {}, b"carried", 0, "127.0.0.1")

    inside = http.AddressPolicy(allowed_loopback=("http://127.0.0.1:9",))
    with http.carried(carry):
        answer = http.Client(inside).send("POST", "http://127.0.0.1:9/a", headers={"x": "y"}, content=b"1")
        with pytest.raises(http.Blocked):
            http.Client().send("POST", "http://127.0.0.1:9/a")

    assert answer.body == b"carried"
    assert sent == [("POST", "http://127.0.0.1:9/a", {"x": "y"}, b"1")]


class KeptOpen(BaseHTTPRequestHandler):
    """Keeps its connections, and hangs up after the answer that it was asked to give last."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(self.client_address)
        if self.path == "/drop":
            self.close_connection = True
            return
        self.send_response(204)
        if self.headers.get("X-Last"):
            self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def kept() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), KeptOpen)
    server.seen = []
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_line_is_one_connection_until_the_other_side_hangs_up(kept):
    url = f"http://127.0.0.1:{kept.server_port}/in"
    client = http.Client(http.AddressPolicy(allowed_loopback=(url,)))
    with client.line(url) as line:
        for headers in ({}, {"X-Last": "1"}, {}):
            assert line.send("POST", headers=headers, content=b"1").status == 204
    assert kept.seen[0] == kept.seen[1] != kept.seen[2]

    assert client.send("POST", url).status == 204
    assert kept.seen[3] not in kept.seen[:3]


def test_a_line_goes_on_after_an_answer_that_did_not_come(kept):
    url = f"http://127.0.0.1:{kept.server_port}/drop"
    with http.Client(http.AddressPolicy(allowed_loopback=(url,))).line(url) as line:
        for _ in range(2):
            with pytest.raises(http.NoAnswer) as lost:
                line.send("POST")
            assert lost.value.kind == "connection"
    assert len(set(kept.seen)) == 2
