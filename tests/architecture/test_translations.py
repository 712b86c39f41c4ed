"""Every text that people read is translated, with its placeholders, and the compiled catalogue is that of the source."""

import subprocess

import pytest
from django.conf import settings

from script.devkit.environment import base
from script.devkit.folders import PYTHON
from tests.factories import access


def test_catalogue_is_complete_and_compiled():
    checked = subprocess.run(
        [PYTHON, "-m", "script.devkit.catalogue", "--check"],
        check=False,
        cwd=settings.BASE_DIR,
        env=base(),
        capture_output=True,
        text=True,
    )

    assert (checked.stdout.strip(), checked.returncode) == ("every text is translated", 0), checked.stderr


@pytest.mark.parametrize("path", ["/portal/login/", "/portal/"])
def test_pages_speak_the_language_that_the_browser_asks_for(path, client, acme):
    answer = client.get(path, headers={"host": "acme.testserver", "accept-language": "sw"}, follow=True)

    assert '<html lang="sw"' in answer.text


def test_api_speaks_english_to_everybody(client, acme):
    headers = {**access.bearer(access.issued(scopes=["payments:read"]).secret), "accept-language": "sw"}

    answer = client.get("/v1/acme/payments?status=nothing", headers=headers)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["message"].startswith("Select a valid choice")


def test_choice_of_a_language_is_kept_and_stays_on_this_site(client, acme):
    host = {"host": "acme.testserver"}

    chosen = client.post(
        "/portal/language", {"language": "sw", "next": "https://elsewhere.example/"}, headers=host
    )
    page = client.get("/portal/login/", headers={**host, "accept-language": "en"})

    assert chosen.headers["Location"] == "/"
    assert '<html lang="sw"' in page.text
