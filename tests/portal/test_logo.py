"""The logo: chosen by the organisation's people, on record, given out by its own host alone, and taken away again."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from PIL import Image

from apps.audit.models import AuditRecord
from apps.documents.models import Artifact
from apps.documents.services import logos
from apps.kit import storage
from apps.kit.actors import SYSTEM
from apps.tenancy.models import Organisation
from apps.tenancy.selectors import branding
from tests import dialogs
from tests.factories import access
from tests.factories.access import NOW
from tests.factories.pictures import png

PAGE = "/portal/organisation-settings/"
REASON = "Agreed with the board"
CHANGED = "organisation.logo_changed"


def chosen(content: bytes, name: str = "logo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="image/png")


def test_the_owner_chooses_it_and_it_stands_everywhere(enter):
    access.head_office()
    owner = enter()
    form = dialogs.open_at(owner, f"{PAGE}do/logo/").content.decode()

    sent = dialogs.send(owner, f"{PAGE}do/logo/", logo=chosen(png("#8a1c3b")), reason=REASON)

    assert ('hx-encoding="multipart/form-data"' in form, sent.status_code) == (True, 204)
    acme = Organisation.objects.get(slug="acme")
    connection.set_tenant(acme)
    path = branding.of(acme).logo_path
    file = Artifact.objects.get(id=acme.logo_id)
    assert file.storage_key.startswith(f"{acme.id.hex}/organisation_logo/")
    stored = storage.read(key=file.storage_key, sha256=file.sha256)
    record = AuditRecord.objects.get(action=CHANGED)
    assert (record.reason, record.changes) == (
        REASON,
        {"logo_id": [None, str(file.id)], "logo_width": [None, 120], "logo_height": [None, 40]},
    )
    settings = owner.get(PAGE).content.decode()
    assert (settings.count(path), "120 by 40 pixels" in settings) == (2, True)
    stranger = Client(headers={"host": "acme.testserver"})
    assert f'<img src="{path}"' in stranger.get("/portal/login/").content.decode()
    given = stranger.get(path)
    assert (given.status_code, given["Content-Type"], given.content) == (200, "image/png", stored)
    assert (given["X-Content-Type-Options"], given["Cross-Origin-Resource-Policy"]) == (
        "nosniff",
        "same-origin",
    )
    assert "sandbox" in given["Content-Security-Policy"]
    assert "Set-Cookie" not in given.headers
    for host in ("zuri.testserver", "localhost"):
        assert Client(headers={"host": host}).get(path).status_code == 404


def test_is_taken_away_with_a_record_and_given_out_no_more(enter):
    access.head_office()
    owner = enter()
    assert dialogs.open_at(owner, f"{PAGE}do/remove-logo/").status_code == 409
    dialogs.send(owner, f"{PAGE}do/logo/", logo=chosen(png()), reason=REASON)
    path = branding.of(Organisation.objects.get(slug="acme")).logo_path

    dialogs.send(owner, f"{PAGE}do/remove-logo/", reason=REASON)

    acme = Organisation.objects.get(slug="acme")
    assert (acme.logo_id, owner.get(path).status_code) == (None, 404)
    connection.set_tenant(acme)
    assert AuditRecord.objects.filter(action=CHANGED).count() == 2
    assert logos.remove(reason=REASON, actor=SYSTEM, now=NOW) is False


@pytest.mark.parametrize("content", [b"<svg onload='alert(1)'/>", png()[:50], bytes(1_000_001)])
def test_what_is_no_picture_is_said_beside_the_field_and_kept_nowhere(enter, content):
    access.head_office()
    owner = enter()

    refused = dialogs.send(owner, f"{PAGE}do/logo/", logo=chosen(content), reason=REASON)

    assert refused.status_code == 422
    page = refused.content.decode()
    assert "is no PNG and no JPEG" in page or "1 MB at most" in page
    acme = Organisation.objects.get(slug="acme")
    connection.set_tenant(acme)
    assert (acme.logo_id, Artifact.objects.exists()) == (None, False)
    assert AuditRecord.objects.filter(action=CHANGED).exists() is False


def test_who_may_not_change_the_branding_chooses_no_logo(enter):
    auditor = enter("auditor")

    for name in ("logo", "remove-logo"):
        assert dialogs.open_at(auditor, f"{PAGE}do/{name}/").status_code == 403


def test_the_same_picture_is_the_same_file_and_changes_nothing(acme):
    first = logos.change(content=png(), reason=REASON, actor=SYSTEM, now=NOW)
    again = logos.change(content=png(optimize=True), reason=REASON, actor=SYSTEM, now=NOW)

    assert (first, again, Artifact.objects.count()) == (True, False, 1)
    assert Image.open(BytesIO(logos.drawn()["logo"])).size == (120, 40)


def test_nothing_is_chosen_while_the_storage_is_away(acme, storage_away):
    storage_away.begin()

    with pytest.raises(storage.StorageUnavailable):
        logos.change(content=png(), reason=REASON, actor=SYSTEM, now=NOW)

    assert (Organisation.objects.get(slug="acme").logo_id, Artifact.objects.exists()) == (None, False)
