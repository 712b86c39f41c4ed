"""The port of rails that hold a sum back until it is captured."""

from typing import Protocol

from apps.integrations.ports.collections import CollectionReport
from apps.kit.money import Money


class CapturePort(Protocol):
    """Takes what a payer has authorised. A rail that takes the whole sum as soon as the payer agrees does not offer it."""

    def capture(self, ticket: str, money: Money) -> CollectionReport:
        """Take a sum of what was authorised under a ticket, and say what became of it."""
