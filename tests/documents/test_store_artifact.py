"""Store artifact."""

import hashlib

import pytest
from django.db import ProgrammingError, connection

from apps.documents.contracts import PDF, ArtifactKind
from apps.documents.models import Artifact
from apps.documents.selectors import artifacts as known
from apps.documents.services import artifacts
from apps.kit import clock, ids, storage
from apps.kit.models import InsertOnlyViolation

pytestmark = pytest.mark.usefixtures("each_storage")


def uploaded(source_id, content=b"%PDF-1"):
    return artifacts.upload(
        kind=ArtifactKind.RECEIPT_PDF,
        content=content,
        content_type=PDF,
        source_type="document",
        source_id=source_id,
        now=clock.now(),
    )


def store(source_id, content=b"%PDF-1"):
    return artifacts.record(file=uploaded(source_id, content), now=clock.now())


def test_keeps_the_first_file_and_its_checksum(acme):
    source_id = ids.new()

    first, is_new = store(source_id)
    second, is_second_new = store(source_id, b"%PDF-2")

    assert (is_new, is_second_new) == (True, False)
    assert second == first
    assert first.sha256 == hashlib.sha256(b"%PDF-1").hexdigest()
    assert artifacts.read(file_id=first.id) == b"%PDF-1"
    assert known.of_source("document", source_id, ArtifactKind.RECEIPT_PDF) == first


def test_does_not_give_back_changed_bytes(acme, each_storage):
    file, _ = store(ids.new())
    key = Artifact.objects.get(id=file.id).storage_key
    each_storage.delete(key)
    with pytest.raises(storage.FileDamaged):
        artifacts.read(file_id=file.id)

    each_storage.write(key, b"%PDF-X")
    with pytest.raises(storage.FileDamaged):
        artifacts.read(file_id=file.id)


def test_does_not_trust_what_a_process_that_died_left_behind(acme, each_storage):
    source_id, whole = ids.new(), b"%PDF-1 and all the rest"
    left = uploaded(source_id, whole).stored.key
    each_storage.delete(left)
    each_storage.write(left, whole[:6])

    stored, is_new = store(source_id, whole)

    assert is_new
    assert Artifact.objects.get(id=stored.id).storage_key != left
    assert artifacts.read(file_id=stored.id) == whole


def test_takes_over_whole_bytes_that_lie_there_already(acme):
    source_id = ids.new()
    left = uploaded(source_id)

    stored, is_new = store(source_id)

    assert is_new
    assert Artifact.objects.get(id=stored.id).storage_key == left.stored.key


def test_is_never_changed(acme):
    file, _ = store(ids.new())
    with pytest.raises(InsertOnlyViolation):
        Artifact.objects.filter(id=file.id).update(size=1)
    with pytest.raises(ProgrammingError), connection.cursor() as cursor:
        cursor.execute("UPDATE documents_artifact SET size = 1")


def test_keeps_organisations_apart(acme, in_organisation):
    source_id = ids.new()
    store(source_id)

    in_organisation("zuri")

    assert known.of_source("document", source_id, ArtifactKind.RECEIPT_PDF) is None
