"""A caller who dies half-way: what came of his request is refused, not taken for the whole."""

import io
import json

import pytest

from apps.access.models import IdempotencyRecord
from apps.events.models import SandboxRequest
from apps.events.services import sandbox_inboxes
from apps.integrations.models import ProviderCallback
from tests.factories.access import issued
from tests.factories.events import APPLICATION, NOW
from treasury.wsgi import application

BODY = b'{"Body": {"stkCallback": {"ResultCode": 0}}}'
TOKEN = "3f9c00ab3f9c00ab3f9c00ab3f9c00ab"


def send(path: str, body: bytes, *, announced: int, **more: str) -> tuple[str, bytes]:
    """Ask the web process's own entry point as a server does whose client announced a length and sent what he sent."""
    statuses: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(announced),
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
        **more,
    }
    answer = application(environ, lambda status, _headers: statuses.append(status))
    return statuses[0], b"".join(answer)


@pytest.fixture
def paths(committed_acme) -> list[str]:
    inbox = sandbox_inboxes.create(application_id=APPLICATION, now=NOW, label="Shop")
    organisation = committed_acme.id.hex
    return [f"/hooks/{organisation}/{TOKEN}/stk", f"/sandbox/{organisation}/{inbox.token}"]


@pytest.mark.parametrize("came", [0, len(BODY) - 1])
def test_half_a_callback_or_webhook_is_refused_and_not_kept(paths, in_organisation, came):
    for path in paths:
        assert send(path, BODY[:came], announced=len(BODY))[0] == "400 Bad Request"

    in_organisation("acme")
    assert ProviderCallback.objects.count() == SandboxRequest.objects.count() == 0
    for path in paths:
        assert send(path, BODY, announced=len(BODY))[0] in ("200 OK", "204 No Content")

    in_organisation("acme")
    assert ProviderCallback.objects.count() == SandboxRequest.objects.count() == 1


def test_half_an_order_of_the_api_does_nothing_and_frees_its_key(committed_acme, in_organisation):
    asked = {"HTTP_AUTHORIZATION": f"Bearer {issued().secret}", "HTTP_IDEMPOTENCY_KEY": "half-1"}

    status, answer = send("/v1/acme/payments", b"", announced=200, **asked)

    problem = json.loads(answer)
    assert (status, problem["code"], problem["retryable"]) == ("400 Bad Request", "request_incomplete", True)
    in_organisation("acme")
    assert not IdempotencyRecord.objects.exists()
