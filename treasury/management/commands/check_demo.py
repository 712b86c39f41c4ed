"""Say whether the books of the demo organisation foot: the simulator's statements are what the ledger says."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from treasury.demo import seeding


class Command(BaseCommand):
    """Run with the simulator up; ends with code 1 when they do not."""

    help = __doc__
    requires_system_checks: list[str] = []

    def handle(self, *_: Any, **__: Any) -> None:
        books = seeding.check()
        if not books.do_foot:
            raise CommandError(str(books))
        self.stdout.write(str(books))
