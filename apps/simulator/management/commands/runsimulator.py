"""Runs the simulator of M-Pesa and Stripe on a loopback port until it is told to stop."""

import signal
import threading
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from apps.kit import priority
from apps.simulator import server
from apps.simulator.store import StoreUnusable

BACKGROUND = 10
"""The niceness of a worker: who stands in for the outside world takes no time from those who ask the treasury."""


def share(text: str) -> float:
    """Read a number from 0 to 1."""
    found = float(text)
    if not 0 <= found <= 1:
        raise ArgumentTypeError(f"{text} does not lie between 0 and 1")
    return found


class Command(BaseCommand):
    """`manage.py runsimulator`: needs no database."""

    help = __doc__
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the address, the file and the seed."""
        parser.add_argument("--host", default="127.0.0.1", help="loopback address to answer on")
        parser.add_argument("--port", default=4010, type=int, help="port to answer on")
        parser.add_argument(
            "--store", default="var/simulator.sqlite3", type=Path, help="file that holds its memory"
        )
        parser.add_argument("--seed", type=int, help="makes the identifiers of a new store repeatable")
        parser.add_argument(
            "--chaos",
            type=share,
            default=0.0,
            help="share of the calls that go wrong, 0 to 1, as the seed draws",
        )

    def handle(
        self, *, host: str, port: int, store: Path, seed: int | None, chaos: float, **_: object
    ) -> None:
        """Serve until SIGTERM or Ctrl-C."""
        priority.stand_behind(BACKGROUND)
        must_stop = threading.Event()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_number, lambda *_: must_stop.set())
        try:
            running = server.serve(host=host, port=port, store_path=store, seed=seed, chaos=chaos)
        except (server.HostRefused, StoreUnusable) as refusal:
            raise CommandError(str(refusal)) from refusal
        except OSError as error:
            raise CommandError(f"{host}:{port} or {store} cannot be used: {error}.") from error
        self.stdout.write(
            f"Simulator: {running.url} (Daraja at {running.url}/daraja, Stripe at {running.url}/stripe, "
            f"PayPal at {running.url}/paypal, phones at {running.url}/phone)"
        )
        self.stdout.flush()
        must_stop.wait()
        running.close()
