"""Make the demo organisation on a developer's machine, with a month of its life; safe to repeat."""

import gc
import json
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.kit import clock
from treasury.demo import seeding, story


class Command(BaseCommand):
    """Run as the owner role (DB_ROLE=owner) with the simulator up."""

    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--credentials", required=True, help="file for addresses, logins and the API key (mode 0600)"
        )
        parser.add_argument(
            "--orders",
            type=int,
            default=seeding.ORDERS,
            help=f"of the month that is played, {story.FEWEST} at least; 0 makes the organisation only",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        orders = options["orders"]
        if 0 != orders < story.FEWEST:
            raise CommandError(f"A month has {story.FEWEST} orders or more, so that each ending comes; or 0.")
        month = seeding.Month(orders=orders) if orders else None
        gc.disable()  # a short process with memory to spare, of whose time collecting takes a part
        seeded = seeding.seed(now=clock.now(), month=month, say=self.stdout.write)
        if seeded is None:
            self.stdout.write("the demo organisation is there")
            return
        path = Path(options["credentials"])
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(seeding.credentials(seeded), file, indent=2)
        self.stdout.write(f"seeded; credentials are in {path}")
