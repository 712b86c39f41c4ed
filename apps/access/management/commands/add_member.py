"""Let a person into an organisation from the command line: somebody new, or somebody who signs in elsewhere already."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_tenants.utils import tenant_context

from apps.access.services import memberships, roles
from apps.kit import clock, errors
from apps.kit.actors import SYSTEM
from apps.tenancy.selectors import organisations


class Command(BaseCommand):
    """For the platform's operator, who has made sure that the account belongs to the person of that name."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the organisation")
        parser.add_argument("email")
        parser.add_argument("--role", default=memberships.OWNER, choices=sorted(roles.DEFAULTS))
        parser.add_argument("--name", default="", help="of a person who has no account yet")

    def handle(self, *_: Any, slug: str, email: str, role: str, name: str, **__: Any) -> None:
        organisation = organisations.ready_by_slug(slug)
        if organisation is None:
            raise CommandError(f"No organisation that is ready is called {slug}.")
        chosen: dict[str, Any] = {"email": email, "role": role, "actor": SYSTEM, "now": clock.now()}
        with tenant_context(organisation):
            roles.seed()
            try:
                if name:
                    password = memberships.admit(name=name, **chosen).password
                    self.stdout.write(f"First password of {email}, shown this once: {password}")
                else:
                    memberships.link(**chosen)
                    self.stdout.write(f"{email} is in the team of {slug} and signs in with his own password.")
            except errors.DomainError as refusal:
                raise CommandError(refusal.detail) from None
