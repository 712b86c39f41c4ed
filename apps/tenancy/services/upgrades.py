"""The migrate job: public, template, snapshot, each organisation, each compared with the template."""

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.executor import MigrationExecutor
from django.utils.module_loading import import_string

from apps.kit import errors, locks, schema
from apps.kit.actors import SYSTEM
from apps.tenancy.models import Domain, Organisation, OrganisationStatus, SchemaSnapshot
from apps.tenancy.selectors import migrations
from apps.tenancy.services import provisioning, schemas


class DatabaseOlder(errors.DomainError):
    """A migration that this database has applied was rewritten since: it was made by an older build."""

    code = "database_older"
    title = "Database of an older build"


def run(say: Callable[[str, str], object], *, now: datetime, is_thorough: bool = False) -> None:
    """
    Bring every schema to this build, add what new organisations begin with, and say of each what was done. Needs the
    owner role.

    Safe to repeat, quick when nothing changed: an organisation that is of this build already is passed over, unless
    ``is_thorough`` has every one compared with the template. Goes on after the schema that stopped it. Every schema is a
    transaction or several of its own. Raises DatabaseOlder, and provisioning.SchemaDiffers for one that is not like the template.
    """
    try:
        _upgrade(say, now, is_thorough=is_thorough)
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


def _upgrade(say: Callable[[str, str], object], now: datetime, *, is_thorough: bool) -> None:
    is_of_build = _is_of_build()
    if not is_of_build:
        call_command("migrate_schemas", shared=True, verbosity=0, interactive=False)
        schema.leave()
    _check_columns(schema.PUBLIC)
    if not is_of_build:
        schemas.watch(schema.PUBLIC)
    schemas.install_checks()
    schemas.grant_public()
    _ensure_public_row()
    if is_of_build:
        say("template", "up to date")
    else:
        schemas.create(schemas.TEMPLATE)
        schemas.migrate(schemas.TEMPLATE)
        _check_columns(schemas.TEMPLATE)
        provisioning.take_snapshot()
        say("template", "migrated, snapshot taken")
    build = provisioning.build_fingerprint()
    for organisation in _organisations():
        if organisation.upgraded_to == build and not is_thorough:
            say(organisation.slug, "up to date")
            continue
        schemas.migrate(organisation.schema_name)
        provisioning.require_equal(organisation.schema_name)
        _renew(organisation, build, now)
        say(organisation.slug, "equal to the template")


def _is_of_build() -> bool:
    """Say whether this build has migrated the public schema and the template before: the snapshot comes after both."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [f"public.{SchemaSnapshot._meta.db_table}"])
        if cursor.fetchone() == (None,):
            return False
    known = SchemaSnapshot.objects.filter(fingerprint=provisioning.code_fingerprint())
    return known.exists() and not migrations.missing()


@transaction.atomic
def _renew(organisation: Organisation, build: str, now: datetime) -> None:
    """Add what this build's organisations begin with, and note that this one is of this build."""
    schema.enter(organisation)
    import_string(settings.TREASURY["RENEWAL"])(actor=SYSTEM, now=now)
    schema.leave()
    organisation.upgraded_to = build
    organisation.save(update_fields=["upgraded_to"])


def _organisations() -> list[Organisation]:
    """Return those that are upgraded: one that is ending stays as it is, and shut, until it is dropped."""
    found = Organisation.objects.exclude(schema_name=schema.PUBLIC)
    left = [OrganisationStatus.PROVISIONING, OrganisationStatus.ENDING, OrganisationStatus.ENDED]
    return list(found.exclude(status__in=left))


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
