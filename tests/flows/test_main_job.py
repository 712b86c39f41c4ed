"""The main job: from the customer's phone to the ledger, a receipt and a signed webhook."""

import json
import os
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook

from apps.invoicing.selectors import receipts
from apps.kit import ids
from apps.kit.money import Money
from tests.loopback import NO_TLS
from tests.running import wait_for

PERSON = "+254712345678"
WAITING = ("worker", "webhooks", "providers", "documents", "beat", "simulator")


def test_collects_books_receipts_and_tells(world):
    before = world.provider_balance()
    body = {
        "amount": {"amount": "12400.00", "currency": "KES"},
        "method": "mpesa",
        "payer": {"phone": "0712 345 678", "name": "Njeri Kamau"},
        "reference": "INV-2026-0001",
        "description": "Catering, 20 Nov",
    }

    first = world.call("POST", "/payments", body, key="main-job")
    again = world.call("POST", "/payments", body, key="main-job")

    payment_id = first.json()["id"]
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.content == first.content
    assert first.json()["status"] == "processing"

    prompt = world.prompt_of(payment_id)
    page = httpx.get(f"{world.treasury.simulator_url}/phone/{PERSON[1:]}", verify=NO_TLS)
    assert f'data-prompt="{prompt["id"]}"' in page.text
    waiting = world.wait_status(payment_id, "action_required")
    assert waiting["next_action"]["type"] == "prompt"
    form = f"{world.treasury.simulator_url}/phone/{PERSON[1:]}/prompts/{prompt['id']}"
    answer = httpx.post(form, data={"pin": "1234", "approve": "1"}, verify=NO_TLS)
    assert answer.status_code == 303, answer.text

    paid = world.wait_status(payment_id, "succeeded")
    world.settle_down()
    assert paid["received"] == {"amount": "12400.00", "currency": "KES"}
    assert paid["fee"] == {"amount": "62.00", "currency": "KES"}
    assert len(paid["provider_receipt"]) == 10
    assert world.callbacks(payment_id) == ["APPLIED"]
    assert (world.sends(payment_id), world.movements(payment_id), len(world.bookings(payment_id))) == (
        1,
        ["12400.00"],
        1,
    )
    assert world.provider_balance() - before == Money(1_233_800, "KES")

    (receipt,) = receipts.of_intent(ids.decode("pi", payment_id))
    assert receipt.number.startswith("RCT-WST-")
    file = wait_for(lambda: receipts.file_of(receipt), what="the PDF of the receipt")
    shown = world.call("GET", f"/receipts/{ids.encode('rcp', receipt.id)}").json()
    pdf = world.call("GET", f"/receipts/{ids.encode('rcp', receipt.id)}/pdf")
    assert shown["file"]["sha256"] == file.sha256
    assert pdf.headers["ETag"] == f'"{file.sha256}"'
    assert pdf.content.startswith(b"%PDF-")

    told = world.webhooks(payment_id)
    assert told == {
        "payment_intent_created": 1,
        "payment_initiated": 1,
        "payment_captured": 1,
        "payment_success": 1,
    }
    verifier = Webhook(world.webhook_secret)
    about = [request for request in world.requests() if payment_id.encode() in bytes(request.body)]
    assert len(about) >= told.total()
    for request in about:  # those of other tests may be older than the five minutes that a receiver allows
        assert request.is_signature_valid
        assert verifier.verify(
            bytes(request.body), {name.lower(): value for name, value in request.headers.items()}
        )


def test_refuses_the_same_key_with_another_sum(world):
    body = {
        "amount": {"amount": "10.00", "currency": "KES"},
        "method": "mpesa",
        "payer": {"phone": "254700000032"},
    }

    first = world.call("POST", "/payments", body, key="one-key")
    other = world.call(
        "POST", "/payments", {**body, "amount": {"amount": "11.00", "currency": "KES"}}, key="one-key"
    )

    assert first.status_code == 201
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("change", "status", "code", "pointer"),
    [
        ({"amount": {"amount": "10.50", "currency": "KES"}}, 422, "amount_not_whole", "/amount"),
        ({"amount": {"amount": "250001.00", "currency": "KES"}}, 422, "amount_too_large", "/amount"),
        ({"amount": {"amount": "0.00", "currency": "KES"}}, 422, None, "/amount"),
        ({"amount": 10}, 422, "validation_error", "/amount"),
        ({"payer": {"phone": "12"}}, 422, "phone_invalid", None),
        ({"colour": "red"}, 422, "validation_error", "/colour"),
        ({"branch_id": "pi_0000000000000000000000000a"}, 422, "validation_error", "/branch_id"),
    ],
)
def test_refuses_bad_input_by_name_and_keeps_nothing(world, change, status, code, pointer):
    body = {
        "amount": {"amount": "10.00", "currency": "KES"},
        "method": "mpesa",
        "payer": {"phone": "254700000000"},
    }
    before = world.latest_id()

    answer = world.call("POST", "/payments", {**body, **change})

    problem = answer.json()
    assert answer.status_code == status, problem
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert code is None or problem["code"] == code
    assert pointer is None or any(error["pointer"].startswith(pointer) for error in problem["errors"]), (
        problem
    )
    assert world.latest_id() == before


def test_answers_a_stranger_with_one_401(world):
    answers = [
        world.call("GET", "/payments", Authorization="Bearer tsk_test_wrong"),
        world.call("GET", "/nothing-here", Authorization="Bearer tsk_test_wrong"),
        httpx.get(world.treasury.demo["api_base"].replace("savanna", "unknown") + "/payments", verify=NO_TLS),
    ]

    bodies = [{**answer.json(), "request_id": ""} for answer in answers]
    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert bodies[0] == bodies[1] == bodies[2]


def test_serves_probes_documentation_and_metrics(world):
    base = world.treasury.url

    assert world.http.get(f"{base}/healthz").json() == {"status": "ok"}
    wait_for(
        lambda: world.http.get(f"{base}/readyz").is_success,
        what="readiness, which has a second for all of it",
    )
    assert set(world.http.get(f"{base}/readyz").json()["checks"]) == {
        "database",
        "migrations",
        "keyring",
        "broker",
    }
    assert "version" in world.http.get(f"{base}/version").json()
    assert "python_info" in world.http.get(f"{base}/metrics").text
    docs = world.http.get(f"{base}/v1/docs/")
    assert docs.status_code == 200
    assert "//cdn" not in docs.text
    reference = world.http.get(f"{base}/v1/docs/errors")
    assert 'id="duplicate_reference"' in reference.text
    assert "openapi: 3.1.0" in world.http.get(f"{base}/v1/openapi.yaml").text


def test_logs_carry_request_and_organisation(world):
    world.call("GET", "/payments?limit=1", **{"X-Request-Id": "req_test_logs_1"})

    lines = wait_for(
        lambda: [
            json.loads(line) for line in world.treasury.log("web").splitlines() if '"req_test_logs_1"' in line
        ],
        what="the line of the request",
    )
    assert lines[-1]["organisation"] == "savanna"
    assert lines[-1]["path"].endswith("/payments")


def test_who_asks_goes_before_what_can_wait(treasury):
    """Both within a session and, where Linux shares the processor out between sessions, between them."""
    pids = {name: treasury.pid(name) for name in ("web", *WAITING)}
    niceness = {name: os.getpriority(os.PRIO_PROCESS, pid) for name, pid in pids.items()}
    groups = {name: Path(f"/proc/{pid}/autogroup") for name, pid in pids.items()}
    sessions = {name: int(group.read_text().split()[-1]) for name, group in groups.items() if group.exists()}

    assert all(niceness["web"] < niceness[name] for name in WAITING)
    assert not sessions or all(sessions["web"] < sessions[name] for name in WAITING)
