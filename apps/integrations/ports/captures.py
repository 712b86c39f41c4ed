"""The port of rails that hold a sum back until it is captured, and let go what is not wanted any more."""

from typing import Protocol

from apps.integrations.ports.collections import CollectionReport
from apps.kit.money import Money


class CapturePort(Protocol):
    """
    Takes what a payer has authorised, or lets it go. Errors are those of CollectionPort.

    A rail that takes the whole sum as soon as the payer agrees, and cannot call a request back, does not offer it.
    ``ticket`` is that of the collection; ``code`` is the attempt's, by which the provider knows a repeated order. ``number``
    counts the orders to capture of one collection from 1: one that is repeated has the same sum and number, one that
    follows a refusal the next, for the provider may give the refusal of the first again.
    """

    def capture(self, ticket: str, money: Money, *, code: str, number: int = 1) -> CollectionReport:
        """Take a sum of what was authorised, and say what became of it: the rest is let go."""

    def release(self, ticket: str, *, code: str) -> CollectionReport:
        """
        Let go a request that is open or a sum that is held back. The report says whether it really was: DECLINED with
        the reason ``customer_cancelled`` or ``expired`` where nothing can be paid any more, COLLECTED where money was
        faster, PENDING where it is open still.
        """
