"""Bodies beyond a bound: refused before anything reads them, with the bound in words, and nothing of them is kept."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.access.models import IdempotencyRecord
from apps.documents.models import Artifact
from apps.events.models import SandboxRequest
from apps.integrations.models import ProviderCallback
from apps.ledger.models import ChartLine
from tests.factories import access

MIB = 1024 * 1024
MB = 1_000_000
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
FILES = "multipart/form-data; boundary=BoUnDaRy"
IMPORT = "/portal/ledger/chart/import/"
HEX = "0" * 32


@pytest.fixture
def asked(acme):
    """Return a function that announces so many bytes, and sends none of them: whoever reads one fails the test."""
    secret = access.issued(("payments:write", "ledger:write", "webhooks:write")).secret

    def ask(path: str, announced: int, *, kind: str = JSON, host: str = "testserver", method: str = "POST"):
        browser = Client(
            headers={"host": host, "authorization": f"Bearer {secret}", "idempotency-key": "k-1"}
        )
        return browser.generic(method, path, CONTENT_TYPE=kind, CONTENT_LENGTH=str(announced))

    return ask


@pytest.mark.parametrize("kind", [JSON, FORM, FILES])
def test_no_address_takes_more_than_its_bound(asked, in_organisation, kind):
    for path, method in (
        ("/v1/acme/payments", "POST"),
        ("/v1/acme/webhook-endpoints/we_0", "PATCH"),
        ("/v1/acme/oauth/token", "POST"),
        ("/v1/nobody/payments", "POST"),
        ("/v1/onboarding/links", "POST"),
        (f"/hooks/{HEX}/{HEX}/stk", "POST"),
        (f"/sandbox/{HEX}/{HEX}", "POST"),
        ("/v1/acme/payments", "GET"),
    ):
        answer = asked(path, MIB + 1, kind=kind, method=method)

        assert answer.status_code == 413, path
        assert "This has 1,048,577 bytes, and 1,048,576 are taken" in answer.content.decode()
        if path.startswith("/v1/"):
            problem = answer.json()
            assert (problem["code"], problem["errors"][0]["pointer"]) == ("request_too_large", "/")

    in_organisation("acme")
    kept = (IdempotencyRecord, SandboxRequest, ProviderCallback)
    assert not any(model.objects.exists() for model in kept)


def test_a_form_of_people_has_the_bound_of_the_setting_with_its_files_alone(asked, settings):
    bound = settings.TREASURY["UPLOAD_BYTES"]
    assert bound == 25 * MB
    for host, path in (("acme.testserver", IMPORT), ("testserver", "/platform/login/")):
        with_files = asked(path, bound + 1, kind=FILES, host=host)
        without = asked(path, MIB + 1, kind=FORM, host=host)

        assert (with_files.status_code, without.status_code) == (413, 413)
        assert "This has 25,000,001 bytes, and 25,000,000 are taken" in with_files.content.decode()


def test_a_file_beyond_the_bound_is_not_read_and_one_within_it_is(acme, enter, settings, in_organisation):
    client = enter("owner")
    fields = {"reason": "Chart of 2027", "do": "preview"}
    large = SimpleUploadedFile("chart.csv", b"x" * 20_000)
    settings.TREASURY = {**settings.TREASURY, "UPLOAD_BYTES": 20_000}

    refused = client.post(IMPORT, {**fields, "chart": large})
    small = client.post(IMPORT, {**fields, "chart": SimpleUploadedFile("chart.csv", b"code,name")})

    assert (refused.status_code, small.status_code) == (413, 422)
    assert "The first row names these columns" in small.content.decode()
    in_organisation("acme")
    assert not Artifact.objects.exists()
    assert not ChartLine.objects.exists()


def test_text_beyond_its_bound_within_a_form_of_files_is_refused_too(acme, enter):
    answer = enter("owner").post(IMPORT, {"content": "x" * (MIB + 1), "chart": SimpleUploadedFile("a", b"x")})

    assert answer.status_code == 413
    assert "more text, fields or files than are taken" in answer.content.decode()
