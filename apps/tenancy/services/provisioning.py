"""A new organisation's schema: one transaction, from the stored snapshot, ready only when it equals the template."""

import hashlib
import re
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string

from apps.kit import errors, history, locks
from apps.kit import schema as present_schema
from apps.tenancy.models import Organisation, OrganisationStatus, SchemaSnapshot
from apps.tenancy.selectors import migrations
from apps.tenancy.services import schemas

NAME = re.compile(r"org_[a-z][a-z0-9_]{0,50}")
SESSION_SETTING = re.compile(
    r"^SET (statement_timeout|idle_in_transaction_session_timeout|client_min_messages|row_security|check_function_bodies"
    r"|default_table_access_method|default_tablespace|xmloption|standard_conforming_strings|client_encoding)\b",
    re.MULTILINE,
)


class SnapshotStale(errors.DomainError):
    """No snapshot was taken by this build: run the migrate job first."""

    code = "snapshot_stale"
    title = "No snapshot of this build"


class SchemaDiffers(errors.DomainError):
    """An organisation's schema is not like the template."""

    code = "schema_differs"
    title = "Schema differs"


def code_fingerprint() -> str:
    """Return a hash over the migrations of this build, the SQL files that they run, and what the application is granted and the database keeps."""
    lists = (
        settings.NO_WRITE_TABLES,
        settings.INSERT_ONLY_TABLES,
        settings.NO_DELETE_TABLES,
        settings.APP_FUNCTIONS,
        settings.WATCHED_TABLES,
        settings.WATCHED_PUBLIC_TABLES,
        history.WATCH,
    )
    digest = hashlib.sha256(
        repr((lists, settings.SHARED_APPS, settings.TENANT_APPS, sorted(migrations.of_build()))).encode()
    )
    sources = [*settings.BASE_DIR.glob("apps/*/sql/*.sql"), *settings.BASE_DIR.glob("apps/*/migrations/*.py")]
    for path in sorted(sources):
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()


def build_fingerprint() -> str:
    """Return a hash over all that an upgrade brings to an organisation: its schema, and what it begins with."""
    content: str = import_string(settings.TREASURY["CONTENT_VERSION"])()
    return hashlib.sha256(f"{code_fingerprint()}{content}".encode()).hexdigest()


def take_snapshot() -> None:
    """Store the template as this build migrated it: the last step of the migrate job, as the owner role."""
    SchemaSnapshot.objects.update_or_create(fingerprint=code_fingerprint(), defaults={"sql": schemas.dump()})


@transaction.atomic
def provision(*, organisation_id: UUID) -> Organisation:
    """Restore the schema of an organisation and mark it ready, with nothing in it: all or nothing. As ``restore``."""
    organisation = restore(organisation_id=organisation_id)
    if organisation.status == OrganisationStatus.PROVISIONING:
        organisation.status = OrganisationStatus.READY
        organisation.save(update_fields=["status"])
    return organisation


@transaction.atomic
def restore(*, organisation_id: UUID) -> Organisation:
    """
    Restore the schema of an organisation, grant, and compare it with the template: all or nothing.

    Safe to repeat. Needs the owner role. One at a time, under an advisory lock; waits at most 2 s for the lock on the
    users' table (every restore and every login meet there) and raises OperationalError then: try again.
    Raises SnapshotStale or SchemaDiffers.
    """
    present_schema.leave()
    organisation = Organisation.objects.get(pk=organisation_id)
    schema = organisation.schema_name
    if not NAME.fullmatch(schema) or schema == schemas.TEMPLATE:
        raise ValueError(f"{schema!r} cannot be an organisation's schema")
    snapshot = SchemaSnapshot.objects.filter(fingerprint=code_fingerprint()).first()
    if snapshot is None:
        raise SnapshotStale("No snapshot of the template belongs to this build: run the migrate job first.")
    locks.advisory("provisioning")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema])
        if cursor.fetchone() is None:
            cursor.execute(_restore_script(snapshot.sql, schema))
            cursor.execute("SET LOCAL search_path = public")
    schemas.grant(schema)
    require_equal(schema)
    return organisation


def require_equal(schema: str) -> None:
    """Raise SchemaDiffers unless a schema is like the template."""
    differences = schemas.drift(schema)
    if differences:
        raise SchemaDiffers(
            f"{schema} differs from the template in {len(differences)} places, first {differences[0]}."
        )


def _restore_script(dump: str, schema: str) -> str:
    """Turn a dump of the template into one of ``schema`` whose settings end with the transaction."""
    text = re.sub(rf"\b{schemas.TEMPLATE}\b", schema, dump)
    text = text.replace("set_config('search_path', '', false)", "set_config('search_path', '', true)")
    text = text.replace("SET lock_timeout = 0;", "")
    return SESSION_SETTING.sub(r"SET LOCAL \1", text)
