"""Say whether the storage of files can do what the product needs: there, writable, with versions and object lock."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.kit import storage


class Command(BaseCommand):
    """Run once before the product starts; ends with code 1 and a sentence for whatever is wrong."""

    help = __doc__
    requires_system_checks: list[str] = []

    def handle(self, *_: Any, **__: Any) -> None:
        found = storage.problems()
        if found:
            raise CommandError("\n".join(found))
        self.stdout.write("The storage can be written and keeps what it is given.")
