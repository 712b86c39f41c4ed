"""Object storage: what the product relies on, against a real server that speaks S3."""

import hashlib
import time
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from botocore.exceptions import ClientError

from apps.kit import bucket_storage, clock, storage
from tests import object_storage
from tests.loopback import NO_TLS
from tests.object_storage import BUCKET, LOCK_DAYS

pytestmark = pytest.mark.django_db
NOW = clock.now().replace(microsecond=0)  # the server holds locks against its own clock
RECEIPT = b"%PDF-1.7 a receipt"


@pytest.fixture
def linked_from_nought(monkeypatch):
    """Hand out every result by a link, however short."""
    monkeypatch.setattr(bucket_storage, "LINKED_FROM", 0)


def put(content=RECEIPT, name="document/1/receipt_pdf"):
    return storage.put(name=name, content=content, content_type="application/pdf", now=NOW)


def upload(path, content=b"a,b\n1,2\n", folder="job/1"):
    (path / "list.csv").write_bytes(content)
    return storage.upload(path=path / "list.csv", folder=folder, content_type="text/csv")


def hand_out(stored, name="list.csv"):
    return storage.hand_out(stored, name=name, content_type="text/csv")


def test_gives_back_a_document_and_says_what_it_is(acme, bucket):
    stored = put()

    assert storage.read(key=stored.key, sha256=stored.sha256) == RECEIPT
    assert stored.key.startswith(f"{acme.id.hex}/document/1/receipt_pdf-")
    kept = bucket.server.client.head_object(Bucket=BUCKET, Key=bucket.name(stored.key))
    assert (kept["ContentType"], kept["Metadata"]) == ("application/pdf", {"sha256": stored.sha256})


def test_stores_a_document_once(acme, bucket):
    assert put() == put()

    assert len(bucket.versions()) == 1


def test_nobody_deletes_a_document_before_its_time(acme, bucket):
    stored = put()
    named = {"Bucket": BUCKET, "Key": bucket.name(stored.key)}
    [version] = bucket.versions()
    lock = bucket.server.client.get_object_retention(**named, VersionId=version["VersionId"])["Retention"]
    assert (lock["Mode"], lock["RetainUntilDate"]) == ("COMPLIANCE", NOW + timedelta(days=LOCK_DAYS))

    with pytest.raises(ClientError, match="AccessDenied"):
        bucket.server.client.delete_object(**named, VersionId=version["VersionId"])
    with pytest.raises(ClientError, match="AccessDenied"):
        bucket.server.client.put_object_retention(
            **named,
            VersionId=version["VersionId"],
            Retention={"Mode": "COMPLIANCE", "RetainUntilDate": NOW + timedelta(days=1)},
        )

    assert storage.read(key=stored.key, sha256=stored.sha256) == RECEIPT


def test_what_is_written_over_or_deleted_is_refused_and_the_old_version_stays(acme, bucket):
    stored = put()
    [first] = bucket.versions()

    bucket.write(stored.key, b"%PDF-1.7 another sum")
    with pytest.raises(storage.FileDamaged, match="changed"):
        storage.read(key=stored.key, sha256=stored.sha256)
    bucket.delete(stored.key)
    with pytest.raises(storage.FileDamaged, match="gone"):
        storage.read(key=stored.key, sha256=stored.sha256)

    kept = bucket.server.client.get_object(
        Bucket=BUCKET, Key=bucket.name(stored.key), VersionId=first["VersionId"]
    )
    assert hashlib.sha256(kept["Body"].read()).hexdigest() == stored.sha256


def test_streams_a_result_and_discards_every_version_of_it(acme, bucket, tmp_path):
    stored = upload(tmp_path)
    other = upload(tmp_path, folder="job/11")
    assert b"".join(hand_out(stored)) == b"a,b\n1,2\n"
    bucket.server.client.put_object(Bucket=BUCKET, Key=bucket.name(stored.key, "results"), Body=b"x")

    assert storage.discard(folder="job/1") == 1
    assert storage.discard(folder="job/1") == 0

    [left] = bucket.versions(place="results")
    assert left["Key"] == bucket.name(other.key, "results")
    with pytest.raises(storage.FileDamaged, match="gone"):
        hand_out(stored)


def test_a_result_of_many_parts_comes_back_whole(acme, bucket, tmp_path):
    content = bytes(range(256)) * 4 * 1024 * 9  # 9 MiB: more than one part, more than is kept in memory
    stored = upload(tmp_path, content)

    assert stored.size > bucket_storage.MEMORY_BYTES
    assert httpx.get(hand_out(stored), verify=NO_TLS).content == content


def test_a_link_gives_out_the_file_under_its_name_and_to_anybody(acme, bucket, tmp_path, linked_from_nought):
    link = hand_out(upload(tmp_path), name="payments-2026-11-25.csv")

    answer = httpx.get(link, verify=NO_TLS)

    assert (answer.status_code, answer.content) == (200, b"a,b\n1,2\n")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="payments-2026-11-25.csv"'
    assert answer.headers["Content-Type"] == "text/csv"
    assert parse_qs(urlsplit(link).query)["X-Amz-Expires"] == ["60"]


def test_a_link_opens_nothing_else(acme, bucket, tmp_path, linked_from_nought):
    mine, another = upload(tmp_path), upload(tmp_path, b"secret", folder="job/2")
    receipt = put()
    link = hand_out(mine)
    altered = [
        link.replace(mine.key, another.key),
        link.replace(bucket.name(mine.key, "results"), bucket.name(receipt.key)),
        link.replace("list.csv", "evil.csv"),
        link.replace("X-Amz-Expires=60", "X-Amz-Expires=600000"),
        link.replace("versionId=", "versionId=0"),
        link.partition("?")[0],
    ]

    for address in altered:
        assert address != link
        assert httpx.get(address, verify=NO_TLS).status_code == 403, address
    assert httpx.put(link, content=b"x", verify=NO_TLS).status_code == 403
    assert httpx.delete(link, verify=NO_TLS).status_code == 403


def test_a_link_is_over_soon(acme, bucket, tmp_path, linked_from_nought, monkeypatch):
    stored = upload(tmp_path)
    assert httpx.get(hand_out(stored), verify=NO_TLS).status_code == 200
    monkeypatch.setattr(bucket_storage, "LINK_SECONDS", 1)
    link = hand_out(stored)

    time.sleep(2.1)

    assert httpx.get(link, verify=NO_TLS).status_code == 403


def test_a_link_keeps_to_the_version_that_was_checked(acme, bucket, tmp_path, linked_from_nought):
    stored = upload(tmp_path)
    link = hand_out(stored)

    bucket.server.client.put_object(Bucket=BUCKET, Key=bucket.name(stored.key, "results"), Body=b"x")

    assert httpx.get(link, verify=NO_TLS).content == b"a,b\n1,2\n"
    with pytest.raises(storage.FileDamaged, match="changed"):
        hand_out(stored)


def test_keeps_organisations_apart(acme, bucket, in_organisation, tmp_path):
    receipt, result = put(), upload(tmp_path)
    zuri = in_organisation("zuri")

    own = put()

    assert own.key == receipt.key.replace(acme.id.hex, zuri.id.hex)
    with pytest.raises(storage.KeyRefused):
        storage.read(key=receipt.key, sha256=receipt.sha256)
    with pytest.raises(storage.KeyRefused):
        hand_out(result)
    assert storage.discard(folder="job/1") == 0
    assert len(bucket.versions(place="results")) == 1


@pytest.mark.parametrize(
    "name",
    [
        "../1/x",
        "document/../../x",
        "/etc/passwd",
        "document//x",
        "document/x\n",
        "document/./x",
        "a%2f..",
        "",
    ],
)
def test_a_hostile_name_leads_nowhere(acme, bucket, tmp_path, name):
    with pytest.raises(storage.KeyRefused):
        put(name=f"{name}/receipt_pdf")
    with pytest.raises(storage.KeyRefused):
        upload(tmp_path, folder=name)
    with pytest.raises(storage.KeyRefused):
        storage.read(key=f"{acme.id.hex}/{name}", sha256="0" * 64)
    with pytest.raises(storage.KeyRefused):
        storage.discard(folder=name)

    assert bucket.versions() == []


def test_an_outage_is_a_refusal_and_afterwards_it_goes_on(acme, bucket, tmp_path):
    before, result = put(), upload(tmp_path)
    bucket.server.kill()
    try:
        for use in (
            lambda: put(b"another"),
            lambda: storage.read(key=before.key, sha256=before.sha256),
            lambda: hand_out(result),
            lambda: storage.discard(folder="job/1"),
        ):
            with pytest.raises(storage.StorageUnavailable):
                use()
        assert "does not take what was asked" in storage.problems()[0]
    finally:
        bucket.server.start()

    assert storage.read(key=before.key, sha256=before.sha256) == RECEIPT
    assert put(b"another").size == 7


def test_a_bucket_that_does_all_is_found_good(acme, bucket):
    assert storage.problems() == []
    assert bucket.versions(place="results") == []


@pytest.mark.parametrize(
    ("facts", "sentences"),
    [
        ({"bucket": "plain-files"}, ["keeps no versions", "has no object lock"]),
        ({"bucket": "plain-files", "lock_days": 0}, ["keeps no versions"]),
        ({"bucket": "nowhere"}, ["NoSuchBucket"]),
        ({"access_key": "a stranger"}, ["InvalidAccessKeyId"]),
        ({"secret_key": "a guess"}, ["SignatureDoesNotMatch"]),
    ],
)
def test_says_what_a_bucket_lacks(storage_server, settings, facts, sentences):
    settings.STORAGES = object_storage.storages(storage_server.url, prefix="check", **facts)

    found = storage.problems()

    assert len(found) == len(sentences)
    assert all(words in sentence for words, sentence in zip(sentences, found, strict=True))


def test_default_retention_is_refused(storage_server, settings):
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
    storage_server.client.create_bucket(Bucket="locked-files", ObjectLockEnabledForBucket=True)
    storage_server.client.put_object_lock_configuration(
        Bucket="locked-files", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    settings.STORAGES = object_storage.storages(storage_server.url, prefix="check", bucket="locked-files")

    [sentence] = [found for found in storage.problems() if "by default" in found]

    assert "results of jobs too" in sentence


def test_a_second_server_runs_beside(storage_server, tmp_path):
    with object_storage.running(tmp_path) as second:
        assert second.client.list_buckets()["Buckets"]
    assert storage_server.client.list_buckets()["Buckets"]
