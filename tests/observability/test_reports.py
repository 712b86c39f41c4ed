"""Error reports: from web, workers and relay leaves where and for whom it failed, and no secret."""

import gzip
import json
import logging
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import brotli
import pytest
from django.conf import settings
from django.test import Client

from apps.events.contracts import REGISTRY
from apps.events.services import relay
from apps.kit import logs
from tests.factories import access
from tests.factories import events as factory
from tests.observability import planted

PARTS = {
    "event_id", "timestamp", "platform", "level", "logger", "release", "environment", "sdk",
    "transaction", "tags", "request", "logentry", "exception",
}  # fmt: skip
UNPACK = {"br": brotli.decompress, "gzip": gzip.decompress}
FAILING = """
import logging, django
django.setup()
logging.getLogger("celery.beat").error("no schedule for %s", "254712345678")
1 / 0
"""
FRAME = {"module", "function", "filename", "lineno", "in_app"}


def assert_tells_nothing(reports) -> None:
    """No secret, not even the payer's name, and no part that is not on the list."""
    sent = reports.everything()

    assert [secret for secret in [*planted.WORDS, *planted.SECRETS.values()] if secret in sent] == []
    for event in reports.events():
        assert set(event) <= PARTS
        assert set(event.get("request", {})) <= {"method"}
        for exception in event.get("exception", {"values": []})["values"]:
            assert set(exception) == {"type", "module", "mechanism", "stacktrace"}
            assert all(set(frame) <= FRAME for frame in exception["stacktrace"]["frames"])


@pytest.mark.urls("tests.observability.planted")
def test_reports_a_view_that_fails(acme, reports):
    answer = Client(raise_request_exception=False).post(
        f"/v1/acme/explode?phone={planted.SECRETS['phone_plain']}&token={planted.SECRETS['passkey']}",
        data=json.dumps(planted.SECRETS),
        content_type="application/json",
        headers={
            **access.bearer(access.issued().secret),
            "X-Request-Id": "req-from-partner-7",
            "Cookie": f"sessionid={planted.SECRETS['password']}",
        },
        REMOTE_ADDR="203.0.113.77",
    )

    assert answer.status_code == 500
    (event,) = reports.events()
    assert_tells_nothing(reports)
    assert "203.0.113.77" not in reports.everything()
    assert (event["release"], event["environment"], event["level"]) == ("9.8.7", "testing", "error")
    assert event["transaction"] == planted.ROUTE
    assert event["request"] == {"method": "POST"}
    assert event["tags"] == {
        "organisation": "acme",
        "request_id": "req-from-partner-7",
        "method": "POST",
        "route": planted.ROUTE,
    }
    assert [one["type"] for one in event["exception"]["values"]] == ["KeyError", "Exploded"]
    last = event["exception"]["values"][-1]["stacktrace"]["frames"][-1]
    assert (last["module"], last["function"], last["filename"]) == (
        planted.__name__,
        "explode",
        "tests/observability/planted.py",
    )
    assert last["lineno"] > 0


def test_reports_a_task_that_fails(acme, reports):
    planted.task.apply(
        kwargs={"phone": planted.SECRETS["phone"]}, headers={"_schema_name": "org_acme"}, task_id="task-1"
    )

    (event,) = reports.events()
    assert_tells_nothing(reports)
    assert event["release"] == "9.8.7"
    assert event["transaction"] == "observability.explode"
    assert event["tags"] == {"organisation": "acme", "task": "observability.explode", "task_id": "task-1"}
    assert [one["type"] for one in event["exception"]["values"]] == ["KeyError", "Exploded"]


def test_reports_a_handler_of_the_relay_that_fails(acme, reports, settings, monkeypatch):
    monkeypatch.setitem(REGISTRY, factory.INTERNAL_TYPE.name, factory.INTERNAL_TYPE)
    settings.EVENT_WIRING = "tests.observability.planted.HANDLERS"
    factory.publish(factory.INTERNAL_TYPE)

    relay.run_due(queue="events", now=factory.NOW)

    (event,) = reports.events()
    assert_tells_nothing(reports)
    assert (event["release"], event["level"]) == ("9.8.7", "warning")
    assert event["tags"]["organisation"] == "acme"
    assert event["tags"]["handler"] == "tests.observability.planted.handle"
    assert event["logentry"] == {"message": "event_handler_failed"}
    assert event["exception"]["values"][-1]["type"] == "Exploded"


def test_reports_an_error_without_exception_by_its_template(reports):
    logging.getLogger("celery.beat").error("Schedule of %s is broken", planted.SECRETS["phone"])
    logging.getLogger("some.package").error(f"Dear {planted.SECRETS['name']}")  # noqa: G004 (packages do)
    logs.get("apps.events").error("event_delivery_dead", error=planted.SECRETS["name"], handler="a.b")
    logs.get("apps.events").warning("webhook_refused", error=planted.SECRETS["name"])

    assert_tells_nothing(reports)
    assert [event["logentry"]["message"] for event in reports.events()] == [
        "Schedule of %s is broken",
        "test_reports.test_reports_an_error_without_exception_by_its_template",
        "event_delivery_dead",
    ]
    assert reports.events()[2]["tags"]["handler"] == "a.b"


def test_every_process_reports_where_the_dsn_says():
    """Web, workers, beat and commands all set Django up; the rest is the handler that the tests above use."""
    received: list[str] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(UNPACK[self.headers["Content-Encoding"]](body).decode().replace(": ", ":"))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        subprocess.run(
            [sys.executable, "-c", FAILING],
            check=False,
            cwd=settings.BASE_DIR,
            env={
                **os.environ,
                "TREASURY_SENTRY_DSN": f"http://key@127.0.0.1:{server.server_port}/1",
                "TREASURY_VERSION": "3.2.1",
                "TREASURY_ENVIRONMENT": "staging",
            },
            capture_output=True,
            timeout=60,
        )
        server.shutdown()

    logged, crashed = received
    for sent in received:
        assert '"environment":"staging"' in sent
        assert '"release":"3.2.1"' in sent
        assert "712345678" not in sent
    assert '"message":"no schedule for %s"' in logged
    assert '"type":"ZeroDivisionError"' in crashed
