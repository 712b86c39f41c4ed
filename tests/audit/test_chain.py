"""The chain of the audit trail: every record once, in order; whatever is changed behind its back is named."""

import hashlib
import json
import threading
from datetime import UTC, timedelta
from io import StringIO

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from apps.accounts.models import COLUMNS as PLATFORM_COLUMNS
from apps.accounts.models import PlatformRecord, TrailHead
from apps.accounts.services import platform_records, platform_trail, trails
from apps.audit import tasks
from apps.audit.models import COLUMNS, AuditLink, AuditRecord, WaitingAuditRecord
from apps.audit.services import chain, records
from apps.kit import clock, ids, trail
from apps.kit.actors import SYSTEM
from apps.kit.models import InsertOnlyViolation
from tests.conftest import owner
from tests.ledger.tampering import unguarded
from tests.operations.operate import operate

STORE = "SELECT audit_store_links(%s, %s, %s::uuid[], %s::bytea[], 1::smallint)"


def write(*things: str, **facts: object) -> list[AuditRecord]:
    """Record a deed for each thing."""
    deed = {"action": "branch.changed", "object_type": "branch", "actor": SYSTEM, "now": clock.now()}
    deed |= {"request_id": "req_00000001", "ip": "10.0.0.9"}
    return [records.write(**{**deed, "object_id": thing, **facts}) for thing in things]


def problems() -> list[tuple[int, str]]:
    return [(finding.seq, finding.problem) for finding in chain.verify(now=clock.now()).findings]


def tamper(*statements: str) -> None:
    with unguarded() as database:
        for statement in statements:
            database.execute(statement)


@pytest.fixture
def sealed(committed_acme, own_folder) -> list[AuditRecord]:
    """Six sealed records in two batches."""
    first = write("b1", "b2", "b3", "b4", changes={"name": ["Nairobi · Ünité", None], "depth": [1, 2]})
    chain.seal()
    last = write("b5", "b6", reason="moved")
    chain.seal()
    return first + last


@pytest.mark.parametrize(("model", "columns"), [(AuditRecord, COLUMNS), (PlatformRecord, PLATFORM_COLUMNS)])
def test_the_newest_form_covers_every_column(model, columns):
    assert sorted(columns[trail.FORM]) == sorted(field.attname for field in model._meta.concrete_fields)
    assert columns.keys() == trail.FORM_NAMES.keys()


def test_numbers_hashes_and_chains_each_record_once(sealed, committed_acme):
    links = list(AuditLink.objects.order_by("seq"))

    assert [link.seq for link in links] == [1, 2, 3, 4, 5, 6]
    assert [link.record_id for link in links] == [record.id for record in sealed]
    assert bytes(links[0].prev_hash) == bytes(32)
    assert [bytes(link.prev_hash) for link in links[1:]] == [bytes(link.hash) for link in links[:-1]]
    record = AuditRecord.objects.get(id=sealed[0].id)
    occurred, recorded = (
        f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}" for at in (record.occurred_at, record.recorded_at)
    )
    written = (
        f'{{"chain":"{committed_acme.id}","form":"treasury.audit/1","record":{{"action":"branch.changed",'
        '"actor_id":"treasury","actor_kind":"SYSTEM","application":"","approval":"","branch":"",'
        f'"changes":{{"depth":[1,2],"name":["Nairobi · Ünité",null]}},"id":"{record.id}","ip":"10.0.0.9",'
        f'"object_id":"b1","object_type":"branch","occurred_at":"{occurred}","person":"","reason":"",'
        f'"recorded_at":"{recorded}","request_id":"req_00000001","transaction":"{record.transaction}",'
        f'"user_agent":"{record.user_agent}"}},"seq":1}}'
    )
    columns = AuditRecord.objects.values(*COLUMNS[1]).get(id=record.id)
    given = trail.document(form=1, chain=str(committed_acme.id), seq=1, columns=columns)
    assert trail.canonical(given).decode() == written
    assert bytes(links[0].hash) == hashlib.sha256(bytes(32) + written.encode()).digest()
    heads = TrailHead.objects.filter(chain=str(committed_acme.id)).order_by("seq")
    assert [(head.seq, bytes(head.hash)) for head in heads] == [
        (4, bytes(links[3].hash)),
        (6, bytes(links[5].hash)),
    ]
    assert WaitingAuditRecord.objects.exists() is False
    assert (chain.seal(), problems()) == (0, [])


def test_the_database_says_when_a_record_was_written(committed_acme):
    long_ago = clock.now() - timedelta(days=400)
    [record] = write("b1")
    record.id, record.recorded_at, record._state.adding = ids.new(), long_ago, True
    record.save()

    assert AuditRecord.objects.get(id=record.id).recorded_at > long_ago + timedelta(days=399)


def test_who_commits_late_is_sealed_once_and_waits_for_nobody(committed_acme):
    written, go = threading.Event(), threading.Event()

    def late() -> None:
        connection.set_tenant(committed_acme)
        try:
            with transaction.atomic():
                write("late")
                written.set()
                assert go.wait(timeout=30)
        finally:
            connection.close()

    thread = threading.Thread(target=late)
    thread.start()
    assert written.wait(timeout=30)
    write("after")
    assert chain.seal() == 1
    with transaction.atomic():
        write("beside a sealer that has not committed")
        go.set()
        thread.join(timeout=30)
    chain.seal()

    order = AuditLink.objects.order_by("seq").values_list("record__object_id", flat=True)
    assert list(order) == ["after", "late", "beside a sealer that has not committed"]
    assert (chain.seal(), problems()) == (0, [])


def test_two_sealers_at_once_seal_once(committed_acme):
    write("b1", "b2")
    counts = []

    def seal() -> None:
        connection.set_tenant(committed_acme)
        try:
            counts.append(chain.seal())
        finally:
            connection.close()

    threads = [threading.Thread(target=seal) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert sum(counts) == 2
    assert (AuditLink.objects.count(), problems()) == (2, [])


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        pytest.param(
            ["UPDATE audit_auditrecord SET reason = 'x' WHERE object_id = 'b3'"],
            (3, "is not what was sealed"),
            id="one byte",
        ),
        pytest.param(
            ["""UPDATE audit_auditrecord SET changes = '{"name": [null, "B"]}' WHERE object_id = 'b2'"""],
            (2, "is not what was sealed"),
            id="what was changed",
        ),
        pytest.param(
            ["DELETE FROM audit_auditrecord WHERE object_id = 'b3'"],
            (3, "was sealed and is gone"),
            id="a record gone",
        ),
        pytest.param(
            [
                "DELETE FROM audit_auditlink WHERE seq = 3",
                "DELETE FROM audit_auditrecord WHERE object_id = 'b3'",
            ],
            (4, "number 3 is missing before it"),
            id="a record gone with its link",
        ),
        pytest.param(
            [
                "DELETE FROM audit_auditlink WHERE seq = 6",
                "DELETE FROM audit_auditrecord WHERE object_id = 'b6'",
            ],
            (6, "is missing: the chain ends at 5, and had come to 6"),
            id="the end cut off",
        ),
        pytest.param(
            [
                "UPDATE audit_auditlink SET seq = -1 WHERE seq = 2",
                "UPDATE audit_auditlink SET seq = 2 WHERE seq = 4",
                "UPDATE audit_auditlink SET seq = 4 WHERE seq = -1",
            ],
            (2, "does not follow from the link before"),
            id="two swapped",
        ),
        pytest.param(
            [
                """UPDATE audit_auditrecord r SET object_id = CASE r.object_id WHEN 'b2' THEN 'b4' ELSE 'b2' END
                WHERE r.object_id IN ('b2', 'b4')"""
            ],
            (2, "is not what was sealed"),
            id="what two say swapped",
        ),
        pytest.param(
            [
                """INSERT INTO audit_auditrecord SELECT gen_random_uuid(), (r).* FROM (
                SELECT occurred_at - interval '9 days', recorded_at - interval '9 days', transaction, action, object_type, 'old',
                  actor_kind, actor_id, person, changes, reason, request_id, ip, user_agent, application, branch, approval
                FROM audit_auditrecord WHERE object_id = 'b1') AS r"""
            ],
            (0, "says that it was written at"),
            id="one slipped in",
        ),
        pytest.param(
            ["ALTER TABLE audit_auditrecord DISABLE TRIGGER audit_append_only"],
            (0, "trigger audit_append_only of audit_auditrecord is switched off"),
            id="a guard switched off",
        ),
        pytest.param(
            ["DROP TRIGGER audit_awaited ON audit_auditrecord"],
            (0, "a trigger of audit_auditrecord is missing"),
            id="a guard dropped",
        ),
    ],
)
def test_names_the_first_broken_record(sealed, statements, expected):
    assert problems() == []
    try:
        tamper(*statements)

        seq, problem = problems()[0]
        assert (seq, problem[: len(expected[1])]) == expected
    finally:
        restore_guards()


def restore_guards() -> None:
    """Give the trail its triggers back: what the tests truncate is rows."""
    names = {
        "records": "audit_auditrecord",
        "links": "audit_auditlink",
        "waiting": "audit_waitingauditrecord",
    }
    with owner() as database:
        database.execute(trail.statements(schema="org_acme", quoted="org_acme", prefix="audit", **names))
        database.execute("ALTER TABLE org_acme.audit_auditrecord ENABLE TRIGGER USER")


def test_finds_an_end_that_was_written_anew_by_what_was_kept_apart(sealed):
    """Who forges the whole chain consistently is found by the shared schema, and if he forges that, by an export's head."""
    kept = trails.Head(6, bytes(AuditLink.objects.get(seq=6).hash))
    tamper(
        "DELETE FROM audit_auditlink WHERE seq >= 5",
        "DELETE FROM audit_auditrecord WHERE object_id = 'b5'",
        "INSERT INTO audit_waitingauditrecord (record_id) SELECT id FROM audit_auditrecord WHERE object_id = 'b6'",
        "DELETE FROM public.accounts_trailhead WHERE seq = 6",
    )
    write("b7")
    chain.seal()

    assert problems() == []
    [found] = chain.verify(now=clock.now(), kept=kept).findings
    assert (found.seq, found.problem) == (6, "has another hash than the one that was given")
    tamper(
        f"INSERT INTO public.accounts_trailhead (chain, seq, hash, sealed_at) SELECT chain, 5, '\\x{'00' * 32}', now() FROM public.accounts_trailhead WHERE seq = 6"
    )
    assert problems()[0] == (5, "has another hash than was kept apart when it was sealed")
    tamper("DELETE FROM public.accounts_trailhead")
    assert problems() == [(6, "is the end of the chain, and was not kept apart when it was sealed")]


def test_a_live_organisation_takes_no_deed_of_long_ago(transactional_db, in_organisation):
    in_organisation("zuri")
    write("b1", now=clock.now() - timedelta(days=9))
    chain.seal()

    [(seq, problem)] = problems()
    assert (seq, problem.startswith("says that it happened at")) == (1, True)


def test_a_link_in_a_form_that_there_is_not_is_named(sealed):
    [record] = write("b7")
    last = bytes(AuditLink.objects.get(seq=6).hash)
    with connection.cursor() as cursor:
        cursor.execute(STORE.replace("1::smallint", "99::smallint"), (7, last, [record.id], [bytes(32)]))

    assert problems() == [(7, "was sealed in a form that there is not")]


def test_the_application_stores_only_what_follows(sealed):
    [record] = write("b7")
    last = bytes(AuditLink.objects.get(seq=6).hash)
    for values in (
        (8, last, [record.id], [bytes(32)]),
        (7, bytes(32), [record.id], [bytes(32)]),
        (7, last, [sealed[0].id], [bytes(32)]),
        (7, last, [record.id], [bytes(31)]),
        (7, last, [], []),
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(STORE, values)

    assert AuditLink.objects.count() == 6
    with pytest.raises(InsertOnlyViolation):
        AuditLink.objects.get(seq=6).delete()


@pytest.mark.parametrize(
    "table", ["org_acme.audit_auditlink", "public.accounts_platformlink", "public.accounts_trailhead"]
)
def test_nobody_writes_the_chain_by_hand(owner_connection, acme, table):
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        connection.cursor().execute(f"INSERT INTO {table} DEFAULT VALUES")
    for statement in (f"UPDATE {table} SET seq = 9", f"DELETE FROM {table}", f"TRUNCATE {table}"):
        with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
            owner_connection.execute(statement)
        owner_connection.rollback()


def test_the_platforms_trail_has_the_same_chain(transactional_db):
    for thing in ("u1", "u2", "u3"):
        platform_records.write(
            action="user.changed", object_type="user", object_id=thing, actor=SYSTEM, now=clock.now()
        )
    assert platform_trail.seal() == 3
    assert platform_trail.verify().is_whole
    assert operate("audit", "verify-platform").code == 0

    with unguarded("public") as database:
        database.execute("UPDATE accounts_platformrecord SET person = 'x' WHERE object_id = 'u2'")

    [found] = platform_trail.verify().findings
    assert (found.seq, found.problem) == (2, "is not what was sealed")
    assert operate("audit", "verify-platform").code == 1


def test_the_commands_say_what_is_broken(sealed):
    connection.set_schema_to_public()
    out = StringIO()
    call_command("audit_verify", "--tenant", "acme", "--json", stdout=out)
    said = json.loads(out.getvalue())["acme"]
    assert (said["whole"], said["records"], said["head"]["seq"]) == (True, 6, 6)
    kept = f"6:{said['head']['hash']}"
    assert operate("audit", "verify", "--tenant", "acme", "--head", kept).code == 0
    assert operate("audit", "verify", "--tenant", "acme", "--head", f"6:{'00' * 32}").code == 1

    tamper("UPDATE audit_auditrecord SET ip = '10.0.0.1' WHERE object_id = 'b2'")

    out = StringIO()
    with pytest.raises(CommandError, match="broken in acme"):
        call_command("audit_verify", stdout=out)
    assert f"acme: broken: number 2, record {sealed[1].id}: is not what was sealed" in out.getvalue()
    done = operate("audit", "verify", "--tenant", "acme", "--json")
    assert done.code == 1
    assert done.document["rows"][0]["number"] == 2


def test_the_nightly_look_tells_of_what_is_not_sealed(sealed, monkeypatch):
    write("b7")
    tasks.check_links_organisation()
    assert AuditLink.objects.count() == 7

    write("b8")
    monkeypatch.setattr(trails, "run", lambda *_: 0)
    with pytest.raises(trails.LinksMissing):
        chain.check(now=clock.now() + timedelta(hours=2))
