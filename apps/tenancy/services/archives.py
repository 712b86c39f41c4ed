"""Everything that an organisation holds as one archive: each table as NDJSON, its files, a manifest of checksums."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from django.db import connection, transaction
from psycopg import sql

from apps.kit import schema, storage
from apps.tenancy.models import Organisation
from apps.tenancy.services import schemas

type Facts = dict[str, object]

TYPE = "treasury.organisation-archive/1"
ZIP = "application/zip"
FILES = "documents_artifact"
CHUNK = 2000
TABLES = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relkind = 'r' ORDER BY c.relname"""


@dataclass(frozen=True, slots=True)
class Archive:
    """Where an archive lies, and how many files are in it; ``damaged`` ones are named in the manifest with what is wrong."""

    stored: storage.Stored
    files: int
    damaged: int


def store(*, organisation: Organisation, folder: str, is_last: bool, now: datetime) -> Archive:
    """
    Write the archive from one snapshot of the schema, with the files that it names, and bring it into the storage. Call it
    outside a transaction, as the role that owns the schema.

    Secrets in it stay sealed by the organisation's data key. The last one before the schema is dropped waits for whoever
    still writes, and lets nobody begin. Raises storage.StorageUnavailable, and OperationalError while somebody writes.
    """
    with TemporaryDirectory(prefix="archive-") as place:
        path = Path(place) / "archive.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            schema.leave()
            name = organisation.schema_name
            tables, files = _write_tables(archive, name, _tables(name), is_last=is_last)
            schema.enter(organisation)
            try:
                files = [_write_file(archive, file) for file in files]
            finally:
                schema.leave()
            archive.writestr("manifest.json", _manifest(organisation, tables, files, now))
        schema.enter(organisation)
        try:
            stored = storage.upload(path=path, folder=folder, content_type=ZIP)
        finally:
            schema.leave()
    damaged = sum("problem" in file for file in files)
    return Archive(stored, files=len(files) - damaged, damaged=damaged)


def read(*, organisation: Organisation, stored: storage.Stored) -> Iterator[bytes]:
    """Return the archive in pieces; raise storage.FileDamaged at once unless it is the one that was stored."""
    schema.enter(organisation)
    try:
        return storage.pieces(stored)
    finally:
        schema.leave()


def _tables(name: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(TABLES, [name])
        return [row[0] for row in cursor.fetchall()]


@transaction.atomic
def _write_tables(
    archive: zipfile.ZipFile, name: str, tables: list[str], *, is_last: bool
) -> tuple[list[Facts], list[Facts]]:
    """Write every table, and return what to say of the tables and which files they name, all of one moment."""
    schemas.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    if is_last:
        _hold(name, tables)
    found: list[Facts] = []
    for table in tables:
        digest, rows = hashlib.sha256(), 0
        with archive.open(f"tables/{table}.ndjson", "w", force_zip64=True) as file:
            for line in _lines(name, table):
                digest.update(line)
                file.write(line)
                rows += 1
        found.append({"table": table, "rows": rows, "sha256": digest.hexdigest()})
    return found, _files(name)


def _hold(name: str, tables: list[str]) -> None:
    """
    Wait until nobody writes in the schema, and keep it so to the end of the transaction; two seconds, then OperationalError.

    It comes before the first query, so that the snapshot shows what those have written who were waited for.
    """
    schemas.execute("SET LOCAL lock_timeout = '2s'")
    named = sql.SQL(", ").join(sql.Identifier(name, table) for table in tables)
    schemas.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(named))


def _write_file(archive: zipfile.ZipFile, file: Facts) -> Facts:
    try:
        content = storage.read(key=str(file["key"]), sha256=str(file["sha256"]))
    except storage.FileDamaged as damaged:
        return {**file, "problem": damaged.detail}
    archive.writestr(f"files/{file['key']}", content)
    return file


def _manifest(organisation: Organisation, tables: list[Facts], files: list[Facts], now: datetime) -> str:
    manifest = {
        "type": TYPE,
        "organisation": {
            "id": str(organisation.id),
            "slug": organisation.slug,
            "name": organisation.name,
        },
        "made_at": now.isoformat(),
        "tables": tables,
        "files": files,
    }
    return json.dumps(manifest, indent=2, ensure_ascii=False)


def _lines(name: str, table: str) -> Iterator[bytes]:
    query = sql.SQL("SELECT to_jsonb(t)::text FROM {} t").format(sql.Identifier(name, table))
    with connection.chunked_cursor() as cursor:
        cursor.execute(query)
        while rows := cursor.fetchmany(CHUNK):
            for (line,) in rows:
                yield line.encode() + b"\n"


def _files(name: str) -> list[Facts]:
    query = sql.SQL("SELECT storage_key, sha256, size FROM {} ORDER BY storage_key").format(
        sql.Identifier(name, FILES)
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [{"key": key, "sha256": digest, "size": size} for key, digest, size in cursor.fetchall()]
