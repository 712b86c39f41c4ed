"""What of the money of an attempt has gone back, is on its way back, or is disputed."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models

from apps.kit.models import MinorField
from apps.kit.money import Money

REFUNDABLE_FIELDS = ["refunded_minor", "refund_pending_minor", "disputed_minor"]


class Refundable(models.Model):
    """
    The part of an attempt that is about money going back: together never more than came, which the database holds too.
    ``disputed_minor`` is what its disputes hold, or took for good.

    All is in the currency received, under the lock of the attempt.
    """

    refunded_minor = MinorField(default=0)
    refund_pending_minor = MinorField(default=0)
    disputed_minor = MinorField(default=0)

    if TYPE_CHECKING:
        received_minor: int | None
        received_currency: str
        surrendered_at: datetime | None

    class Meta:
        abstract = True

    @property
    def refunded(self) -> Money | None:
        """What of the sum that arrived has gone back."""
        return None if self.received_minor is None else Money(self.refunded_minor, self.received_currency)

    @property
    def refundable(self) -> Money | None:
        """What of the sum that arrived may still be given back."""
        return None if self.received_minor is None else Money(self.refundable_minor, self.received_currency)

    @property
    def refundable_minor(self) -> int:
        """What of the sum that arrived is neither given back nor on its way, neither disputed nor taken from it."""
        if self.surrendered_at is not None:
            return 0
        gone = self.refunded_minor + self.refund_pending_minor + self.disputed_minor
        return (self.received_minor or 0) - gone

    def given_with(self, money: Money) -> Money:
        """Return all that has gone back, or is on its way, once this sum is too."""
        return Money(self.refunded_minor + self.refund_pending_minor, money.currency) + money

    def hold_refund(self, money: Money) -> None:
        """Set aside what is about to go back."""
        self.refund_pending_minor += money.minor

    def release_refund(self, money: Money) -> None:
        """Take back what was set aside: it stays here."""
        self.refund_pending_minor -= money.minor

    def give_back(self, money: Money) -> None:
        """Count what has gone back; it is no longer set aside, if it was."""
        self.refunded_minor += money.minor

    def take_back(self, money: Money) -> None:
        """Count out what was said to have gone back and did not arrive."""
        self.refunded_minor -= money.minor

    def hold_dispute(self, *, before: int, after: int) -> None:
        """Set aside what a dispute holds now in place of what it held before, in minor units."""
        self.disputed_minor += after - before
