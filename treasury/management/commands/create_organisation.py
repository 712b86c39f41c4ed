"""Open an organisation from the command line: schema, roles, head office and its first owner."""

import secrets
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.kit import clock, errors
from treasury import onboarding


class Command(BaseCommand):
    """Run as the owner role (DB_ROLE=owner). Repeated after an interruption it goes on where it stopped."""

    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("name")
        parser.add_argument("--owner-email", required=True)
        parser.add_argument("--owner-name", required=True)
        parser.add_argument("--branch-code", default="HQ", help="code of the head office (default HQ)")
        parser.add_argument("--branch-name", default="Head office", help="name of the head office")
        parser.add_argument(
            "--test", action="store_true", help="a test organisation, with the simulator as its providers"
        )

    def handle(self, *_: Any, **given: Any) -> None:
        owner = onboarding.Owner(given["owner_email"], given["owner_name"], secrets.token_urlsafe(12))
        head_office = onboarding.HeadOffice(given["branch_code"], given["branch_name"])
        now = clock.now()
        try:
            organisation = onboarding.prepare(
                slug=given["slug"], name=given["name"], is_test=given["test"], now=now
            )
            is_new = not onboarding.is_filled()
            if is_new:
                onboarding.fill(head_office=head_office, owner=owner, now=now)
        except errors.DomainError as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(
            f"{organisation.slug} is ready at {organisation.slug}.{settings.TREASURY['BASE_DOMAIN']}"
        )
        if is_new:
            self.stdout.write(f"Owner {owner.email}, first password {owner.password}")
