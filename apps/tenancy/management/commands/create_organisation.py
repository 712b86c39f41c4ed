"""Create and provision an organisation from the command line."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.kit import errors
from apps.tenancy.services import organisations, provisioning


class Command(BaseCommand):
    """Run as the owner role (DB_ROLE=owner)."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("name")
        parser.add_argument(
            "--test", action="store_true", help="a test organisation, with the simulator as its providers"
        )

    def handle(self, *_: Any, slug: str, name: str, test: bool, **__: Any) -> None:
        try:
            made = organisations.create(
                slug=slug, name=name, is_test=test, base_domain=settings.TREASURY["BASE_DOMAIN"]
            )
        except errors.DomainError as refusal:
            raise CommandError(str(refusal)) from None
        provisioning.provision(organisation_id=made.id)
        self.stdout.write(f"{made.slug} is ready at http://{made.slug}.{settings.TREASURY['BASE_DOMAIN']}")
