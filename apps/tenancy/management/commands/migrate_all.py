"""The migrate job: public, template, snapshot, each organisation, each compared with the template."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.kit import clock
from apps.tenancy.services import provisioning, upgrades

NEEDS_RESET = 3


class Command(BaseCommand):
    """Run as the owner role (DB_ROLE=owner). Safe to repeat; quick when nothing changed."""

    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--thorough",
            action="store_true",
            help="compare every organisation with the template, those that are of this build already too",
        )

    def handle(self, *_: Any, thorough: bool = False, **__: Any) -> None:
        try:
            upgrades.run(
                lambda name, state: self.stdout.write(f"{name}: {state}"),
                now=clock.now(),
                is_thorough=thorough,
            )
        except upgrades.DatabaseOlder as refusal:
            self.stderr.write(
                f"This database was made by an older build: {refusal}\nStart afresh with: script/server --reset"
            )
            sys.exit(NEEDS_RESET)
        except provisioning.SchemaDiffers as refusal:
            raise CommandError(refusal.detail) from None
