"""Remove a second factor that a person has lost, from the command line: for the last operator who lost his own."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.models import User
from apps.accounts.services import second_factors
from apps.kit import clock, errors
from apps.kit.actors import SYSTEM


class Command(BaseCommand):
    """See docs/runbooks/lost-second-factor.md before you run it."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument(
            "--reason", required=True, help="how you made sure who asked; kept in the audit trail"
        )

    def handle(self, *_: Any, email: str, reason: str, **__: Any) -> None:
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            raise CommandError("Nobody signs in with this e-mail.")
        try:
            second_factors.reset(user_id=user.pk, reason=reason, actor=SYSTEM, now=clock.now())
        except errors.DomainError as refusal:
            raise CommandError(refusal.detail) from None
        self.stdout.write(f"{email} has no second factor now.")
