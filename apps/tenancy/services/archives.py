"""Everything that an organisation holds as one archive: each table as NDJSON, the list of its files, a manifest of checksums."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from django.db import connection, transaction
from psycopg import sql

from apps.kit import schema, storage
from apps.tenancy.models import Organisation

TYPE = "treasury.organisation-archive/1"
ZIP = "application/zip"
FILES = "documents_artifact"
CHUNK = 2000
TABLES = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relkind = 'r' ORDER BY c.relname"""


def store(*, organisation: Organisation, folder: str, now: datetime) -> storage.Stored:
    """
    Write the archive from one snapshot of the schema and bring it into the storage. Call it outside a transaction, as the
    role that owns the schema.

    Secrets in it stay sealed by the organisation's data key. Files are listed with key and checksum, not included: they
    stay in the storage. Raises storage.StorageUnavailable.
    """
    with TemporaryDirectory(prefix="archive-") as place:
        path = Path(place) / "archive.zip"
        schema.leave()
        _write(path, organisation, now)
        schema.enter(organisation)
        try:
            return storage.upload(path=path, folder=folder, content_type=ZIP)
        finally:
            schema.leave()


def read(*, organisation: Organisation, stored: storage.Stored) -> Iterator[bytes]:
    """Return the archive in pieces; raise storage.FileDamaged unless it is the one that was stored."""
    schema.enter(organisation)
    try:
        content = storage.hand_out(stored, name="archive.zip", content_type=ZIP)
        if isinstance(content, str):
            raise storage.StorageUnavailable(storage.UNAVAILABLE)
        yield from content
    finally:
        schema.leave()


@transaction.atomic
def _write(path: Path, organisation: Organisation, now: datetime) -> None:
    name = organisation.schema_name
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute(TABLES, [name])
        tables = [row[0] for row in cursor.fetchall()]
    found = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for table in tables:
            digest, rows = hashlib.sha256(), 0
            with archive.open(f"tables/{table}.ndjson", "w", force_zip64=True) as file:
                for line in _lines(name, table):
                    digest.update(line)
                    file.write(line)
                    rows += 1
            found.append({"table": table, "rows": rows, "sha256": digest.hexdigest()})
        manifest = {
            "type": TYPE,
            "organisation": {
                "id": str(organisation.id),
                "slug": organisation.slug,
                "name": organisation.name,
            },
            "made_at": now.isoformat(),
            "tables": found,
            "files": _files(name),
        }
        archive.writestr("manifest.json", json.dumps(manifest, indent=2, ensure_ascii=False))


def _lines(name: str, table: str) -> Iterator[bytes]:
    query = sql.SQL("SELECT to_jsonb(t)::text FROM {} t").format(sql.Identifier(name, table))
    with connection.chunked_cursor() as cursor:
        cursor.execute(query)
        while rows := cursor.fetchmany(CHUNK):
            for (line,) in rows:
                yield line.encode() + b"\n"


def _files(name: str) -> list[dict[str, object]]:
    query = sql.SQL("SELECT storage_key, sha256, size FROM {} ORDER BY storage_key").format(
        sql.Identifier(name, FILES)
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [{"key": key, "sha256": digest, "size": size} for key, digest, size in cursor.fetchall()]
