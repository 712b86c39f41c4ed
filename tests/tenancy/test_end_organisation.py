"""End organisation: exported whole, a grace in which it is called off, closed, exported again, dropped, never before the day."""

import hashlib
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.db import connection

from apps.accounts.models import PlatformRecord
from apps.documents.contracts import ArtifactKind
from apps.documents.models import Artifact
from apps.documents.services import artifacts
from apps.kit import errors, ids, jobs, schema
from apps.kit.actors import SYSTEM
from apps.tenancy.contracts import NewOrganisation
from apps.tenancy.models import Offboarding, Organisation, UserOrganisation
from apps.tenancy.selectors import offboardings as stored
from apps.tenancy.selectors import organisations as known
from apps.tenancy.services import archives, offboardings, organisations, provisionings, upgrades
from tests import conftest
from tests.factories import access
from tests.factories.accounts import NOW

REASON = "The contract has ended"
DAY = NOW + timedelta(days=30)


@pytest.fixture
def closing(as_owner) -> Organisation:
    """Set an organisation up, and suspend it."""
    person = access.user("first@example.test")
    with jobs.held():
        asked = provisionings.ask(
            new=NewOrganisation("new-gone", "Gone", is_test=True), owner_id=person.pk, actor=SYSTEM, now=NOW
        )
        provisionings.go_on(provisioning_id=asked.id, now=NOW)
        return organisations.suspend(
            organisation_id=asked.organisation_id, reason=REASON, actor=SYSTEM, now=NOW
        )


def begin(organisation: Organisation, *, at=DAY) -> Offboarding:
    with jobs.held():
        return offboardings.begin(
            organisation_id=organisation.id, drop_after=at, reason=REASON, actor=SYSTEM, now=NOW
        )


def is_there(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regnamespace(%s)", [name])
        return cursor.fetchone() != (None,)


def test_exports_waits_closes_exports_again_and_drops(closing):
    asked = begin(closing)
    go_on = lambda at: offboardings.go_on(offboarding_id=asked.id, now=at)  # noqa: E731 (one word for six calls)

    first = go_on(NOW)
    early = go_on(DAY - timedelta(seconds=1))
    closed = go_on(DAY)
    quiet = go_on(DAY + timedelta(minutes=1))
    last = go_on(DAY + timedelta(minutes=6))
    there_before = is_there(closing.schema_name)
    dropped = go_on(DAY + timedelta(minutes=7))
    again = go_on(DAY + timedelta(minutes=8))

    assert (first.exported_at, early.closed_at, closed.closed_at) == (NOW, None, DAY)
    assert (quiet.exported_at, last.exported_at) == (NOW, DAY + timedelta(minutes=6))
    assert (there_before, is_there(closing.schema_name)) == (True, False)
    assert dropped.dropped_at == again.dropped_at == DAY + timedelta(minutes=7)
    closing.refresh_from_db()
    assert closing.status == "ENDED"
    assert known.working().filter(id=closing.id).exists() is False
    assert UserOrganisation.objects.filter(organisation=closing).exists() is False
    content = b"".join(archives.read(organisation=closing, stored=stored.archive(dropped)))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        tables = {table["table"]: table for table in manifest["tables"]}
        for name, table in tables.items():
            lines = archive.read(f"tables/{name}.ndjson")
            assert (hashlib.sha256(lines).hexdigest(), lines.count(b"\n")) == (table["sha256"], table["rows"])
        roles = [json.loads(line) for line in archive.read("tables/access_role.ndjson").splitlines()]
    assert manifest["organisation"]["slug"] == "new-gone"
    assert {"owner", "auditor"} <= {role["code"] for role in roles}
    assert (tables["ledger_chartline"]["rows"] > 0, manifest["files"]) == (True, [])
    deeds = (
        PlatformRecord.objects.filter(object_id=str(closing.id))
        .order_by("id")
        .values_list("action", flat=True)
    )
    assert [deed.removeprefix("organisation.") for deed in deeds][-5:] == [
        "offboarding_begun", "exported", "closed", "exported", "dropped",
    ]  # fmt: skip


def test_the_archive_holds_the_files_themselves_and_names_those_that_are_damaged(closing):
    schema.enter(closing)
    kept = [a_file(b"the first scan"), a_file(b"the second scan")]
    Path(storages["documents"].path(kept[1].storage_key)).write_bytes(b"another scan")
    schema.leave()
    asked = begin(closing)

    done = offboardings.go_on(offboarding_id=asked.id, now=NOW)

    pieces = archives.read(organisation=closing, stored=stored.archive(done))
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        listed = {file["sha256"]: file for file in json.loads(archive.read("manifest.json"))["files"]}
        files = [name for name in archive.namelist() if name.startswith("files/")]
        content = archive.read(f"files/{kept[0].storage_key}")
    assert (content, files) == (b"the first scan", [f"files/{kept[0].storage_key}"])
    assert "problem" not in listed[kept[0].sha256]
    assert "changed since it was made" in listed[kept[1].sha256]["problem"]
    record = PlatformRecord.objects.get(action="organisation.exported", object_id=str(closing.id))
    assert (record.changes["files"], record.changes["damaged_files"]) == ([None, 1], [None, 1])


def test_nothing_is_written_between_the_close_and_the_last_export(closing):
    asked = begin(closing)
    for at in (NOW, DAY):
        offboardings.go_on(offboarding_id=asked.id, now=at)
    with conftest.owner() as late:
        late.execute(f"UPDATE \"{closing.schema_name}\".access_branch SET name = 'Late'")
        held_up = offboardings.go_on(offboarding_id=asked.id, now=DAY + timedelta(minutes=6))

    last = offboardings.go_on(offboarding_id=asked.id, now=DAY + timedelta(minutes=7))

    assert (held_up.exported_at, last.exported_at) == (NOW, DAY + timedelta(minutes=7))
    with zipfile.ZipFile(
        io.BytesIO(b"".join(archives.read(organisation=closing, stored=stored.archive(last))))
    ) as archive:
        assert b"Late" in archive.read("tables/access_branch.ndjson")
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_schema_privilege('treasury_app', %s, 'USAGE')", [closing.schema_name])
        assert cursor.fetchone() == (False,)
    assert closing.schema_name not in {name for name, _ in upgrades.pending()}


def test_who_is_given_an_archive_is_on_record(closing):
    with pytest.raises(errors.NotFound):
        offboardings.hand_out(organisation_id=closing.id, reason=REASON, actor=SYSTEM, now=NOW)
    asked = begin(closing)
    offboardings.go_on(offboarding_id=asked.id, now=NOW)

    offboardings.hand_out(organisation_id=closing.id, reason=REASON, actor=SYSTEM, now=NOW)

    record = PlatformRecord.objects.get(action="organisation.archive_handed_out")
    asked.refresh_from_db()
    assert (record.reason, record.changes["archive_sha256"]) == (REASON, [None, asked.archive_sha256])


def a_file(content: bytes) -> Artifact:
    """Keep a file in the present organisation."""
    source = ids.new()
    file = artifacts.upload(
        kind=ArtifactKind.VOUCHER,
        content=content,
        content_type="application/pdf",
        source_type="journal",
        source_id=source,
        now=NOW,
    )
    artifacts.record(file=file, now=NOW)
    return Artifact.objects.get(source_id=source)


def test_is_called_off_within_the_grace_and_opened_again(closing):
    asked = begin(closing)
    offboardings.go_on(offboarding_id=asked.id, now=NOW)
    with pytest.raises(organisations.BeingEnded):
        organisations.resume(organisation_id=closing.id, reason=REASON, actor=SYSTEM, now=NOW)
    with pytest.raises(offboardings.OffboardingUnderWay):
        begin(closing)

    offboardings.cancel(organisation_id=closing.id, reason="They stay", actor=SYSTEM, now=NOW)

    later = offboardings.go_on(offboarding_id=asked.id, now=DAY + timedelta(days=1))
    assert (later.closed_at, later.dropped_at, is_there(closing.schema_name)) == (None, None, True)
    assert offboardings.wake_due(now=DAY + timedelta(days=1)) == 0
    reopened = organisations.resume(organisation_id=closing.id, reason=REASON, actor=SYSTEM, now=NOW)
    assert reopened.status == "READY"
    with pytest.raises(offboardings.NotSuspended):
        begin(closing)


def test_keeps_data_for_a_month_and_is_not_called_off_after_the_day(closing):
    with pytest.raises(offboardings.GraceTooShort):
        begin(closing, at=DAY - timedelta(seconds=1))
    assert Offboarding.objects.exists() is False
    asked = begin(closing)
    for _ in range(2):
        offboardings.go_on(offboarding_id=asked.id, now=DAY)

    with pytest.raises(offboardings.OffboardingUnderWay):
        offboardings.cancel(organisation_id=closing.id, reason="Too late", actor=SYSTEM, now=DAY)
    with pytest.raises(organisations.BeingEnded):
        organisations.resume(organisation_id=closing.id, reason=REASON, actor=SYSTEM, now=DAY)
