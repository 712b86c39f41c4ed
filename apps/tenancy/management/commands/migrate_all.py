"""The migrate job: public, template, snapshot, each organisation, each compared with the template."""

import sys
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.migrations.exceptions import InconsistentMigrationHistory

from apps.kit import locks, schema
from apps.tenancy.models import Domain, Organisation, OrganisationStatus, SchemaSnapshot
from apps.tenancy.services import provisioning, schemas

NEEDS_RESET = 3


class MadeByAnOlderBuild(Exception):
    """A migration that this database has applied was rewritten since."""


class Command(BaseCommand):
    """Run as the owner role (DB_ROLE=owner). Safe to repeat; quick when nothing changed."""

    help = __doc__
    requires_system_checks: list[str] = []

    def handle(self, *_: Any, **__: Any) -> None:
        try:
            self._migrate()
        except (InconsistentMigrationHistory, MadeByAnOlderBuild) as error:
            self.stderr.write(
                f"This database was made by an older build: {error}\nStart afresh with: script/server --reset"
            )
            sys.exit(NEEDS_RESET)

    def _migrate(self) -> None:
        call_command("migrate_schemas", shared=True, verbosity=0, interactive=False)
        schema.leave()
        _check_columns(schema.PUBLIC)
        schemas.install_checks()
        schemas.grant_public()
        _ensure_public_row()
        fingerprint = provisioning.code_fingerprint()
        if SchemaSnapshot.objects.filter(fingerprint=fingerprint).exists():
            self.stdout.write("template: up to date")
        else:
            schemas.create(schemas.TEMPLATE)
            schemas.migrate(schemas.TEMPLATE)
            _check_columns(schemas.TEMPLATE)
            provisioning.take_snapshot()
            self.stdout.write("template: migrated, snapshot taken")
        for organisation in Organisation.objects.exclude(schema_name="public").exclude(
            status=OrganisationStatus.PROVISIONING
        ):
            self._migrate_organisation(organisation)

    def _migrate_organisation(self, organisation: Organisation) -> None:
        schemas.migrate(organisation.schema_name)
        differences = schemas.drift(organisation.schema_name)
        if differences:
            raise CommandError(f"{organisation.schema_name} differs from the template: {differences[:5]}")
        self.stdout.write(f"{organisation.slug}: equal to the template")


def _check_columns(name: str) -> None:
    if missing := schemas.missing_columns(name):
        raise MadeByAnOlderBuild(f"{name} lacks {', '.join(missing[:3])}.")


@transaction.atomic
def _ensure_public_row() -> None:
    """django-tenants wants a row and a domain for the public schema."""
    locks.advisory("public-row")
    organisation, _ = Organisation.objects.get_or_create(
        schema_name="public",
        defaults={"slug": "public", "name": "Platform", "status": OrganisationStatus.READY},
    )
    Domain.objects.get_or_create(domain="localhost", defaults={"tenant": organisation, "is_primary": True})
