"""Log lines: whoever writes them, and wherever a secret stands in them, it is not written."""

import logging

import pytest
from django.db import connection
from django.test import Client

from apps.kit import logs
from tests.factories import access
from tests.observability import planted


def assert_hides(lines) -> None:
    written = str(lines())

    assert lines()
    assert [word for word in planted.WORDS if word in written] == []


def test_redacts_our_own_lines_with_exception_and_stack(lines):
    log = logs.get("apps.payments")

    try:
        planted.explode()
    except planted.Exploded:
        log.exception("payment_failed", stack_info=True, **planted.SECRETS)

    assert_hides(lines)
    (line,) = lines()
    assert line["event"] == "payment_failed"
    assert "Exploded" in line["exception"]
    assert "in explode" in line["exception"]
    assert line["phone"] == "*****678"
    assert line["password"] == line["passkey"] == "[redacted]"
    assert line["api_key"] == "[redacted]"


def test_redacts_lines_of_packages(lines):
    log = logging.getLogger("some.package")
    sentence = " ".join(f"{name}={value!r}" for name, value in planted.SECRETS.items())

    try:
        planted.explode()
    except planted.Exploded:
        log.exception("failed for %s with %s", planted.SECRETS["phone"], sentence)

    assert_hides(lines)
    (line,) = lines()
    assert line["event"].startswith("failed for +2547*****678 with phone='+2547*****678'")
    assert "Exploded" in line["exception"]


@pytest.mark.urls("tests.observability.planted")
def test_redacts_a_request_that_fails(acme, lines):
    Client(raise_request_exception=False).post(
        f"/v1/acme/explode?token={planted.SECRETS['passkey']}",
        data=planted.SECRETS,
        content_type="application/json",
        headers={**access.bearer(access.issued().secret)},
    )

    assert_hides(lines)
    (line,) = lines()
    assert (line["logger"], line["organisation"], line["route"]) == ("django.request", "acme", planted.ROUTE)


def test_redacts_a_task_that_fails(acme, lines):
    planted.task.apply(kwargs={"phone": planted.SECRETS["phone"]}, headers={"_schema_name": "org_acme"})

    assert_hides(lines)
    (line,) = lines()
    assert (line["logger"], line["organisation"], line["task"]) == (
        "celery.app.trace",
        "acme",
        "observability.explode",
    )


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/pay/{secret:.40}", "/pay/…"),
        ("/pay/{secret:.40}/receipt.pdf", "/pay/…/receipt.pdf"),
        ("/hooks/{organisation}/{secret}/stk", "/hooks/{organisation}/…/stk"),
        ("/sandbox/{organisation}/{secret}", "/sandbox/{organisation}/…"),
    ],
)
def test_a_request_is_logged_without_the_secret_in_its_path(acme, lines, caplog, path, shown):
    names = {"organisation": connection.tenant.id.hex, "secret": "feedc0de" * 8}
    caplog.set_level(logging.INFO, logger="treasury.middleware")

    Client(headers={"host": "acme.testserver"}).get(path.format(**names))

    request, refused = sorted(lines(), key=lambda line: line["level"])
    assert (request["event"], request["path"]) == ("request", shown.format(**names))
    assert refused["event"].endswith(f": {shown.format(**names)}")
    assert names["secret"][:16] not in str(lines())


def test_leaves_what_operators_need(lines):
    fields = {
        "payment": "pi_06f9d1k2q9h7v3m5x8z0c4b6na",
        "amount": "1,500.00",
        "receipt": "SFF6XYZ123",
        "took_ms": 123456,
        "at": "2026-11-24T07:41:58.120000+00:00",
        "id": "01936000-0000-7000-8000-00000000000b",
    }

    logs.get("apps.payments").warning("payment_settled", **fields)

    (line,) = lines()
    assert {name: line[name] for name in fields} == fields
