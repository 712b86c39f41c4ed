"""End organisation: exported whole, a grace in which it is called off, closed, exported again, dropped, never before the day."""

import hashlib
import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.db import connection

from apps.accounts.models import PlatformRecord
from apps.kit import jobs
from apps.kit.actors import SYSTEM
from apps.tenancy.contracts import NewOrganisation
from apps.tenancy.models import Offboarding, Organisation, UserOrganisation
from apps.tenancy.selectors import offboardings as stored
from apps.tenancy.selectors import organisations as known
from apps.tenancy.services import archives, offboardings, organisations, provisionings
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
