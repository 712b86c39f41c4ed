"""The migrate job: public, template, snapshot, each organisation, each compared with the template."""

from collections.abc import Callable

from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.executor import MigrationExecutor

from apps.kit import errors, locks, schema
from apps.tenancy.models import Domain, Organisation, OrganisationStatus, SchemaSnapshot
from apps.tenancy.services import provisioning, schemas


class DatabaseOlder(errors.DomainError):
    """A migration that this database has applied was rewritten since: it was made by an older build."""

    code = "database_older"
    title = "Database of an older build"


def run(say: Callable[[str, str], object]) -> None:
    """
    Bring every schema to this build, and say of each what was done. Needs the owner role.

    Safe to repeat, quick when nothing changed, goes on after the schema that stopped it. Every schema is a transaction
    or several of its own. Raises DatabaseOlder, and provisioning.SchemaDiffers for one that is not like the template.
    """
    try:
        _upgrade(say)
    except InconsistentMigrationHistory as error:
        raise DatabaseOlder(str(error)) from None


def pending() -> list[tuple[str, str]]:
    """Return each schema with each migration that it lacks; nothing is changed."""
    names = [
        schema.PUBLIC,
        schemas.TEMPLATE,
        *(organisation.schema_name for organisation in _organisations()),
    ]
    found = []
    for name in names:
        schema.visit(name)
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        found += [(name, str(migration)) for migration, _ in plan]
    schema.leave()
    return found


def _upgrade(say: Callable[[str, str], object]) -> None:
    call_command("migrate_schemas", shared=True, verbosity=0, interactive=False)
    schema.leave()
    _check_columns(schema.PUBLIC)
    schemas.install_checks()
    schemas.grant_public()
    _ensure_public_row()
    if SchemaSnapshot.objects.filter(fingerprint=provisioning.code_fingerprint()).exists():
        say("template", "up to date")
    else:
        schemas.create(schemas.TEMPLATE)
        schemas.migrate(schemas.TEMPLATE)
        _check_columns(schemas.TEMPLATE)
        provisioning.take_snapshot()
        say("template", "migrated, snapshot taken")
    for organisation in _organisations():
        schemas.migrate(organisation.schema_name)
        provisioning.require_equal(organisation.schema_name)
        say(organisation.slug, "equal to the template")


def _organisations() -> list[Organisation]:
    found = Organisation.objects.exclude(schema_name=schema.PUBLIC)
    return list(found.exclude(status=OrganisationStatus.PROVISIONING))


def _check_columns(name: str) -> None:
    if missing := schemas.missing_columns(name):
        raise DatabaseOlder(f"{name} lacks {', '.join(missing[:3])}.")


@transaction.atomic
def _ensure_public_row() -> None:
    """django-tenants wants a row and a domain for the public schema."""
    locks.advisory("public-row")
    organisation, _ = Organisation.objects.get_or_create(
        schema_name=schema.PUBLIC,
        defaults={"slug": "public", "name": "Platform", "status": OrganisationStatus.READY},
    )
    Domain.objects.get_or_create(domain="localhost", defaults={"tenant": organisation, "is_primary": True})
