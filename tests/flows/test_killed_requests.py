"""A process that is killed in the middle of a request: asked again with its key, it has one effect, and one call to the provider."""

import signal
import subprocess
from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest
from django.db.models import F

from apps.access.models import IdempotencyRecord
from apps.integrations.mpesa.reversal import REVERSAL_PATH as REVERSAL
from apps.kit import ids
from apps.kit.sweep import JOB_GRACE
from apps.payments.models import PaymentIntent, Refund
from script.devkit import environment, ports, system
from script.devkit.folders import PYTHON, ROOT
from tests.flows import dying
from tests.running import wait_for

PAYS_BY_ITSELF = "254700000000"
GUNICORN = ["-m", "gunicorn", "tests.flows.dying:application", "--preload", "--no-control-socket"]


@pytest.fixture
def mortal(world) -> Iterator[str]:
    """Serve the API of the running treasury from a process beside it that can die; another takes its place each time."""
    port = ports.choose(taken=set())
    server = subprocess.Popen(
        [str(PYTHON), *GUNICORN, "--bind", f"127.0.0.1:{port}"],
        cwd=ROOT,
        env={**environment.base(), **world.treasury.variables, "DB_ROLE": "app"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=system.dies_with_parent(signal.SIGTERM),  # noqa: PLW1509 (a few system calls)
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: is_served(world, f"{address}/healthz"), what="the process that can die")
        yield address
    finally:
        server.terminate()
        server.wait()


def is_served(world, address: str) -> bool:
    try:
        return world.http.get(address).is_success
    except httpx.TransportError:
        return False


def test_a_killed_request_asked_again_has_one_effect(world, mortal):
    """Killed before the commit it leaves nothing; after it, everything but the answer, which the same key gets."""
    paid = {}
    for number, point in enumerate(dying.POINTS):
        amount, key = f"{310 + number}.00", f"killed-{point}"
        body = {
            "amount": {"amount": amount, "currency": "KES"},
            "method": "mpesa",
            "payer": {"phone": PAYS_BY_ITSELF},
            "reference": key,
        }
        said = killed(world, mortal, "/payments", body, key=key, point=point)
        paid[said["id"]] = amount
        if point == "after-commit":
            half_a_minute_later(PaymentIntent, ids.decode("pi", said["id"]))
        assert PaymentIntent.objects.filter(reference=key).count() == 1
    for payment_id in paid:
        world.wait_status(payment_id, "succeeded")
        wait_for(lambda of=payment_id: world.payment(of)["provider_receipt"], what="the receipt")

    refunded = {}
    for point, payment_id in zip(("before-commit", "after-commit"), paid, strict=False):
        body = {"payment_id": payment_id, "reason": "Order cancelled by the customer"}
        said = killed(world, mortal, "/refunds", body, key=f"refund-{point}", point=point)
        refunded[said["id"]] = payment_id
        if point == "after-commit":
            half_a_minute_later(Refund, ids.decode("re", said["id"]))
    for refund_id in refunded:
        wait_for(lambda of=refund_id: status_of(world, of) == "succeeded", what="the refund")

    world.settle_down()
    log = world.control("GET", "/log")["entries"]
    given_back = [entry["body"]["TransactionID"] for entry in log if entry.get("path") == REVERSAL]
    for payment_id, amount in paid.items():
        assert (world.sends(payment_id), world.movements(payment_id)) == (1, [amount])
        times = int(payment_id in refunded.values())
        assert given_back.count(world.payment(payment_id)["provider_receipt"]) == times
        assert Refund.objects.filter(intent_id=ids.decode("pi", payment_id)).count() == times
        assert (len(world.attempts(payment_id)), len(world.bookings(payment_id))) == (1, 1 + times)


def killed(world, mortal: str, path: str, body: dict, *, key: str, point: str) -> dict:
    """Ask a process that dies at a point, then ask again with the same key; return what is said then, and from then on."""
    base = world.treasury.demo["api_base"].replace(world.treasury.url, mortal)
    headers = {
        "Authorization": f"Bearer {world.treasury.demo['api_key']}",
        "Idempotency-Key": key,
        dying.HEADER: point,
    }

    with pytest.raises(httpx.TransportError):
        world.http.post(f"{base}{path}", json=body, headers=headers)
    again, once_more = (asked_again(world, path, body, key) for _ in range(2))

    assert (again.status_code, once_more.status_code) == (201, 201), again.text
    assert ("Idempotent-Replayed" in again.headers) == (point != "before-commit"), point
    assert once_more.headers["Idempotent-Replayed"] == "true"
    assert once_more.content == again.content
    assert IdempotencyRecord.objects.filter(key=key).count() == 1
    return again.json()


def half_a_minute_later(model: type[PaymentIntent | Refund], row_id: UUID) -> None:
    """Let the sweep find what no job was handed over for: it leaves a job that much time."""
    waiting = model.objects.filter(id=row_id, next_request_at__isnull=False)
    assert waiting.update(next_request_at=F("next_request_at") - JOB_GRACE) == 1


def status_of(world, refund_id: str) -> str:
    return world.call("GET", f"/refunds/{refund_id}").json()["status"]


def asked_again(world, path: str, body: dict, key: str) -> httpx.Response:
    """Ask as a partner does: while the database still holds the key for the dead process, he is told to ask again."""

    def look() -> httpx.Response | None:
        answer = world.call("POST", path, body, key=key)
        return None if answer.json().get("code") == "idempotency_in_progress" else answer

    return wait_for(look, what=f"an answer to {key}")
