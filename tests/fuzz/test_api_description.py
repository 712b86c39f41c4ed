"""
Generated requests: the API answers each as its description says, and never with a defect.

The requests come from the OpenAPI description, the same ones every time, a few for each operation;
``TREASURY_FUZZ_EXAMPLES=200 script/test tests/fuzz`` asks more, by hand.
"""

import os
from datetime import timedelta
from pathlib import Path

import pytest
import schemathesis
import yaml
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from requests import Request  # noqa: TID251 (the form in which the requests are generated; nothing is sent)
from schemathesis.core.transport import Response

from apps.access.contracts import SCOPES
from apps.kit import clock, ids
from tests.factories import access
from tests.isolation import sending, twins
from tests.isolation.endpoints import every
from tests.isolation.undoing import undone

DESCRIPTION = yaml.safe_load(Path("docs/openapi.yaml").read_text())
PREFIXES = {endpoint.name: endpoint.view.id_prefix for endpoint in every() if not endpoint.is_alias}
EXAMPLES = int(os.environ.get("TREASURY_FUZZ_EXAMPLES", "3"))
BELOW = "/v1/{tenant_id}/"
BOUNDED = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def world(acme, settings):
    """Fill acme and return a key that may do everything, and the ids of its rows by prefix."""
    settings.TREASURY = {**settings.TREASURY, "SANDBOX_INBOX_LOCAL": True}
    with clock.fixed(sending.NOW):
        _, row_ids = twins.populate()
        row_ids |= twins.book("acme", row_ids["br"], sending.NOW)
        yield acme, access.issued(tuple(SCOPES)).secret, row_ids


def test_every_operation_answers_as_described(world):
    acme, secret, row_ids = world
    faults = []

    for found in schemathesis.openapi.from_dict(DESCRIPTION).get_all_operations():
        operation = found.ok()

        asking(operation, acme, secret, row_ids, faults)()
    assert faults == [], "\n".join(faults)


def asking(operation, organisation, secret, row_ids, faults):
    """Return the test of one operation: about rows that there are, and about none."""

    @BOUNDED
    @given(case=operation.as_strategy(), is_known=st.booleans())
    def ask(case, is_known):
        said = fault(operation, case, organisation, secret, row_ids if is_known else {})
        if said:
            faults.append(f"{operation.label}: {said}")

    return ask


def fault(operation, case, organisation, secret, row_ids):
    """Send one request; return what is wrong with its answer, or nothing."""
    name = operation.label.replace(BELOW, "")
    if case.path_parameters and "tenant_id" in case.path_parameters:
        case.path_parameters["tenant_id"] = "acme"
        known = row_ids.get(PREFIXES.get(name, ""))
        if "id" in case.path_parameters and known:
            case.path_parameters["id"] = ids.encode(PREFIXES[name], known)
    request = Request(**case.as_transport_kwargs(base_url="http://localhost")).prepare()
    headers = {
        name: value for name, value in request.headers.items() if name.lower() not in {"host", "cookie"}
    }
    if BELOW in operation.path:
        headers["Authorization"] = f"Bearer {secret}"
    body = request.body or b""
    with undone():
        answer = Client(raise_request_exception=False).generic(
            request.method,
            request.path_url,
            body.encode() if isinstance(body, str) else body,
            content_type=headers.pop("Content-Type", "application/json"),
            headers={"host": "localhost", **headers},
        )
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    connection.set_tenant(organisation)
    told = f"{request.method} {request.path_url} {body[:300]!r} -> {answer.status_code} {content[:300]!r}"
    if answer.status_code >= 500:
        return f"defect: {told}"
    if str(answer.status_code) not in operation.definition.raw["responses"]:
        return f"undocumented status: {told}"
    shown = Response(
        answer.status_code,
        {name.lower(): [value] for name, value in answer.headers.items()},
        content,
        request,
        elapsed=timedelta(0).total_seconds(),
        verify=False,
    )
    try:
        operation.validate_response(shown, case=case)
    except (AssertionError, BaseExceptionGroup) as wrong:
        return f"{str(wrong)[:400]}: {told}"
    return ""


@pytest.mark.parametrize(
    ("instant", "status"), [("2026-11-24T07:41:58+19:34", 200), ("0001-01-01T00:00:00+14:00", 422)]
)
def test_an_instant_that_the_database_does_not_take_is_no_defect(acme, instant, status):
    headers = access.bearer(access.issued().secret)
    for listed in ("payments", "refunds"):
        answer = Client().get(f"/v1/acme/{listed}", {"created_at[lt]": instant}, headers=headers)

        assert answer.status_code == status, answer.content
