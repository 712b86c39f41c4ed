"""A process that is killed in the middle of a request: asked again with its key, it has one effect, and one call to the provider."""

import signal
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from apps.access.models import IdempotencyRecord
from apps.payments.models import PaymentIntent
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
    base = world.treasury.demo["api_base"].replace(world.treasury.url, mortal)
    headers = {"Authorization": f"Bearer {world.treasury.demo['api_key']}"}
    paid = {}
    for number, point in enumerate(dying.POINTS):
        amount, key = f"{310 + number}.00", f"killed-{point}"
        body = {
            "amount": {"amount": amount, "currency": "KES"},
            "method": "mpesa",
            "payer": {"phone": PAYS_BY_ITSELF},
            "reference": key,
        }

        with pytest.raises(httpx.TransportError):
            world.http.post(
                f"{base}/payments",
                json=body,
                headers={**headers, "Idempotency-Key": key, dying.HEADER: point},
            )
        again = asked_again(world, body, key)
        once_more = asked_again(world, body, key)

        assert (again.status_code, once_more.status_code) == (201, 201), again.text
        assert ("Idempotent-Replayed" in again.headers) == (point != "before-commit"), point
        assert once_more.headers["Idempotent-Replayed"] == "true"
        assert once_more.content == again.content
        assert IdempotencyRecord.objects.filter(key=key).count() == 1
        assert PaymentIntent.objects.filter(reference=key).count() == 1
        paid[again.json()["id"]] = amount

    for payment_id, amount in paid.items():
        world.wait_status(payment_id, "succeeded")
        assert world.sends(payment_id) == 1
        assert world.movements(payment_id) == [amount]
    world.settle_down()
    for payment_id in paid:
        assert len(world.attempts(payment_id)) == 1
        assert len(world.bookings(payment_id)) == 1


def asked_again(world, body: dict, key: str) -> httpx.Response:
    """Ask as a partner does: while the database still holds the key for the dead process, he is told to ask again."""

    def look() -> httpx.Response | None:
        answer = world.call("POST", "/payments", body, key=key)
        return None if answer.json().get("code") == "idempotency_in_progress" else answer

    return wait_for(look, what=f"an answer to {key}")
