"""What money a dispute has moved: what left our balance, came back and was taken beside it, and what is lost of it."""

from dataclasses import dataclass

from django.db import models

from apps.integrations.ports import DisputeReport
from apps.kit.models import CurrencyField, MinorField
from apps.kit.money import Money


@dataclass(frozen=True, slots=True)
class Moves:
    """What a dispute has moved so far, in minor units of its ``moved_currency``."""

    withdrawn: int = 0
    fee: int = 0
    reinstated: int = 0
    lost: int = 0


class DisputedMoney(models.Model):
    """
    The part of a dispute that is about what moved.

    That is in ``moved_currency``, that of our balance: ``withdrawn_minor`` left it and ``reinstated_minor`` came back, both without
    ``fee_minor``, what the provider took beside them; ``lost_minor`` is what will not come back. The first two never shrink.
    """

    moved_currency = CurrencyField(blank=True)
    withdrawn_minor = MinorField(default=0)
    reinstated_minor = MinorField(default=0)
    fee_minor = MinorField(default=0)
    lost_minor = MinorField(default=0)

    class Meta:
        abstract = True

    @property
    def withdrawn(self) -> Money | None:
        return self._moved(self.withdrawn_minor)

    @property
    def reinstated(self) -> Money | None:
        return self._moved(self.reinstated_minor)

    @property
    def fee(self) -> Money | None:
        return self._moved(self.fee_minor)

    @property
    def lost(self) -> Money | None:
        return self._moved(self.lost_minor)

    @property
    def moves(self) -> Moves:
        return Moves(self.withdrawn_minor, self.fee_minor, self.reinstated_minor, self.lost_minor)

    def _moved(self, minor: int) -> Money | None:
        return Money(minor, self.moved_currency) if self.moved_currency else None

    def _take_moved(self, report: DisputeReport) -> None:
        moved = [money for money in (report.withdrawn, report.reinstated, report.fee) if money is not None]
        if moved:
            self.moved_currency = moved[0].currency
        self.withdrawn_minor = report.withdrawn.minor if report.withdrawn else 0
        self.reinstated_minor = report.reinstated.minor if report.reinstated else 0
        self.fee_minor = report.fee.minor if report.fee else 0
